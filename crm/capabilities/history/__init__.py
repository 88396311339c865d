"""History: who changed what, when and why, for every record; and the way back.

Keeps versions with django-simple-history. The timeline and the comparison are ours, because people read labels and
titles, not column names and numbers.
"""
