"""Expressions that mean harm: to run something, to reach what is not theirs, to use up time or memory, to break SQL."""

from __future__ import annotations

from crm.blueprint.expressions.parser import MAX_LENGTH

REACHING = """
__import__('os').system('id')
__import__('os')
__builtins__
__builtins__.eval
eval('1')
exec('1')
compile('1', '', 'eval')
open('/etc/passwd')
open('/etc/passwd').read()
globals()
locals()
vars()
vars(party)
dir(party)
getattr(party, 'delete')
getattr(party, 'delete')()
setattr(party, 'name', 'x')
delattr(party, 'name')
hasattr(party, 'name')
type(party)
type(n)
object
object()
print(n)
input()
help()
exit()
quit()
breakpoint()
memoryview(t)
super()
classmethod(n)
str(n)
int(t)
float('inf')
float('nan')
chr(0)
hash(t)
id(party)
repr(party)
sorted(lines)
map(abs, lines)
filter(None, lines)
iter(lines)
next(lines)
zip(lines, lines)
any(lines)
all(lines)
range(10)
range(10 ** 10)
bytes(10 ** 10)
bytearray(10 ** 10)
list(lines)
dict(n=n)
set(lines)
pow(9, 99999)
divmod(n, 2)
n.__class__
n.__class__.__bases__
n.__class__.__mro__
n.__class__.__base__.__subclasses__()
().__class__.__bases__[0].__subclasses__()
''.__class__
''.__class__.__mro__[1].__subclasses__()
[].__class__
{}.__class__
(1).__class__
1 .real
1.0.hex()
t.__class__
t.__doc__
t.__init__.__globals__
t._meta
party.__class__
party.__dict__
party.__init__
party._meta
party._meta.model
party._state
party._state.db
party.pk
party.id
party_id
party.party_id
id
pk
self
record
definition
_meta
_state
objects
history
party.objects
party.objects.all()
party.history
party.definition
party.definition.business
party.DoesNotExist
party.save
party.save()
party.delete()
party.refresh_from_db()
party.name.__class__
party.order_set
party.order_set.all()
lines.all()
lines.delete()
lines.update(price=0)
lines.__class__
lines[0]
lines[0].price
lines[:]
order
order.m
settings
settings.SECRET_KEY
os
os.system('id')
sys.modules
subprocess.run('id')
user
user.password
user.is_superuser
user.groups
request
request.user
t()
n()
b()
party()
t.upper()
t.format(party)
'{0.__class__}'.format(party)
'{0.__init__.__globals__}'.format(party)
'%s' % party
'%(x)s' % n
'%99999999d' % n
t % n
f'{n}'
f'{party.__class__}'
f'{n!r:>{999999999}}'
f'{__import__("os").system("id")}'
rf'{n}'
b'x'
b'x' + b'y'
u'x'.x
lambda: 1
lambda x: x
(lambda: 1)()
(lambda f: f(f))(lambda f: f(f))
[x for x in lines]
{x for x in lines}
{x: x for x in lines}
(x for x in lines)
sum(x for x in lines)
sum([x.price for x in lines])
[[x for x in lines] for y in lines]
(yield)
(yield from lines)
await t
(n := 1)
n := 1
(n := n + 1) + n
[n := 1, n]
n = 1
n += 1
del n
import os
from os import system
pass
return n
raise n
assert n
global n
while True: pass
for x in lines: x
if b: n
with open('x') as f: f
def f(): pass
class A: pass
try: n
n; n
*lines
*lines, n
print(*lines)
max(*lines)
max(**{})
sum(lines.price, **party)
coalesce(*[n, m])
round(number=n)
len(t=t)
count(lines, where=flag)
{}
{'a': n}
{**party}
{n}
[]
[n]
[n, m][0]
(n, m)
(n, m)[0]
()
n[0]
t[0]
t[::-1]
n if b
n if b else
n else m
n is n
n is not n
n is null
n in lines
n in party
n in t
't' in t
n in []
n in [n]
n in [m, 1]
n in [[1]]
n in {1: 2}
n in range(9)
t in ['a', lower(t)]
t in ['a', f'{n}']
1j
1 + 1j
...
Ellipsis
NotImplemented
__debug__
__name__
__file__
__
_
n @ n
n ** n
9 ** 9 ** 9 ** 9
9 ** 999999999
n // 0
n % 0
n << 9999999999
1 << 9999999999
n >> 1
n & 1
n | 1
n ^ 1
~n
+n
't' * 999999999
t * n
999999999 * t
[0] * 999999999
999999999999999999999999
1e400
-1e400
1e15
1e-300
0.0000001
0x1fffffffffffffff
0b11111111111111111111111111111111111111111111111111
1__0
1_
0777
inf
nan
Infinity
b > true
true > false
party > party
party + party
-party
null + 1
null < 1
not null
not 1
1 and 2
null and b
b or 'x'
party == 1
party == 'Ann'
party == lines
1 == '1'
true == 1
round(n, -1)
round(n, 999999999)
round(n, true)
round(n, n)
round(n, 2.0)
days('1')
hours(null)
days(days(1))
today() + 1
today() - n
now() + today()
year(at)
date(day)
lower(lower)
lower(lower())
len(null)
coalesce()
coalesce(null, null)
min()
max(n)
sum()
sum(1)
sum(n)
sum('lines')
sum(lines)
sum(lines.price.x)
sum(lines.order.lines.price)
sum(lines.order.party.orders.n)
sum(party.orders.lines.price)
count()
count(lines, lines)
count(lines, n)
count(lines, count(lines) > 0)
count(lines, sum(order.lines.price) > 0)
count(order.lines)
avg(lines.word)
max(lines.word)
sum(lines.flag)
SELECT 1
1; DROP TABLE shop_order
1 OR 1=1
n) OR (1=1
n -- comment
n /* comment */
n; DELETE FROM shop_order
n UNION SELECT password FROM auth_user
t LIKE '%'
t || t
t == "a" OR "a" == "a"
(SELECT password FROM auth_user)
pg_sleep(10)
load_extension('x')
randomblob(1000000000)
{{ n }}
{% n %}
${n}
$(id)
`id`
%s
%(n)s
{0}
:n
?
n?
n!
n..m
.n
n.
@n
#
\\
\\n
""".strip("\n").split("\n")
"""What must be refused, a line each."""

SHAPED = [
    "",
    " ",
    "\n",
    "\t\r\n",
    "\x00",
    "n\x00",
    "n + \x00 1",
    "t == 'a\x00b'",
    r"t == 'a\x00b'",
    r"t == '\u0000'",
    r"t == '\ud800'",
    r"t == '\N{NULL}'",
    r"t in ['a', '\udfff']",
    "\ud800",
    "t == '\udfff'",
    "\ufeffn",
    "n\u200b",
    "n \u2212 1",
    "n \u00d7 2",
    "t == \u2018a\u2019",
    "\u202en\u202c",
    "n + \u0661\u0662",
    "\u0430 + 1",
    "n\u0301",
    "_\uff3f\uff49mport_\uff3f('os')",
    "n\n+ 1",
    "n\nimport os",
    "n #\n + os",
    "(n +\r os)",
    "(n +\n\x0c os)",
    "n\\\n.__class__",
    "'unterminated",
    "'''unterminated",
    '"""n',
    "(" * 100 + "n",
    "(" * 240 + "n" + ")" * 240,
    "[" * 200,
    "-" * 400 + "n",
    "not " * 120 + "b",
    "abs(" * 99 + "n" + ")" * 99,
    "n if b else " * 40 + "n",
    "n" + ".n" * 240,
    "party" + ".party" * 60,
    "party.orders." * 30 + "n",
    "sum(" * 100 + "n",
    "coalesce(" + "n, " * 150 + "n)",
    "min(" + "n," * 21 + "n)",
    "+".join("n" * 200),
    "*".join("d" * 100),
    "f'" + "{" * 200,
    "9" * 400,
    "9" * 5000,
    "'" + "a" * (MAX_LENGTH + 1) + "'",
    "n" * 10_000,
    "(" * 10_000,
    "-" * 10_000 + "n",
    "n+" * 5_000 + "n",
    "'" + "\u00e4" * 10_000 + "'",
    "[" * 10_000 + "]" * 10_000,
    "\n" * 10_000 + "n",
    " " * 10_000 + "n",
    "lambda: " * 60 + "n",
    "{" * 99 + "}" * 99,
    "true == (" * 20 + "b" + " == true) == true" * 20,
    "(" * 20 + "b" + " in [true] in [true])" * 20,
    "1 < n in [2, 3]",
    "min(n, " * 24 + "m" + ")" * 24,
    "max(day, " * 24 + "until" + ")" * 24,
    "min(at, " * 24 + "now()" + ")" * 24,
    "coalesce(at + hours(1), " * 16 + "now()" + ")" * 16,
    "(" * 20 + "day" + " + days(1))" * 20,
    "(" * 20 + "m" + " / 3)" * 20,
    "1 < (2 if 1 < n < 3 else 4) < 5",
]
"""What must be refused, of characters that need to be written out."""

QUOTED = [
    "x' OR 1=1--", "x'' OR ''1''=''1", "'; DROP TABLE shop_order; --", '" OR ""="', "%s", "%(n)s", "%", "%%", "100%", "{0}",
    "{1}", "{}", "{{0}}", "$1", "$$", ":n", "?", "\\", "\\'", "\\\\", "\n", "\t", "--", "/*", "*/", ";", "#", "a'b",
    "x) OR (1=1", "') UNION SELECT password FROM auth_user --", "\u2028", "\U0001f4a9", "\u202e", "\ufeff", "'", "''", '"',
    "E'\\x27'", "NULL", "null", "pg_sleep(10)", "<script>alert(1)</script>", "{{ n }}", "__class__", "a" * 200,
]  # fmt: skip
"""Texts that must stay plain text; each stands in a literal, written as Python would."""

HARMLESS = [
    *(f"t == {text!r}" for text in QUOTED),
    *(f"t + {text!r}" for text in QUOTED),
    "t == 'x'' OR 1=1--'",
    "'x' 'y' == t",
    r"t == '\x41\u0042C'",
    r"t == r'\x00'",
    "\uff4e + 1",
    "\U0001d427 + 1",
    "n # os.system('id')",
    "(" * 150 + "n" + ")" * 150,
    "(n +\n 1)",
    "99999999999999 * 99999999999999 * 99999999999999",
    "99999999999999 * 99999999999999 > 1",
    "1 / 0",
    "n / (n - n)",
    "0 / 0 == null",
    "m / 0.000001 / 0.000001",
    "days(99999999999999)",
    "day + days(99999999999999)",
    "at + days(99999999999999) - days(99999999999999)",
    "hours(n * 99999999999999)",
    "day - days(9999999)",
    "-(-(-(-n)))",
    "t + t + t + t + t + t + t + t + t",
    "n in [1, 1, 1, 1, 1]",
    "1 < n < 5 < 7 > 2",
    "n in [" + "1," * 200 + "]",
    "1 < " * 100 + "n",
    "b and " * 80 + "b",
    "min(" + "n," * 19 + "m)",
    "max(" + "day," * 19 + "until)",
    "(" * 8 + "b" + " in [true, false])" * 8,
    "(" * 20 + "n" + " + 1)" * 20 + " in [" + "1, " * 20 + "2]",
    "True and not None == null",
]
"""What may be said, means nothing bad, and must mean the same in both worlds."""
