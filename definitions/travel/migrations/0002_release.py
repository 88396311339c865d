# What `manage.py apply` did; run like any migration of Django.
import crm.expressions.written
from django.db import migrations, models
from crm.release.batched import BatchedMigration


class Migration(BatchedMigration):

    dependencies = [
        ('crm', '0002_importrun'),
        ('travel', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='booking',
            name='paid',
            field=models.DecimalField(decimal_places=2, max_digits=14, null=True),
        ),
        migrations.AddField(
            model_name='invoice',
            name='paid',
            field=models.DecimalField(decimal_places=2, max_digits=14, null=True),
        ),
        migrations.AddField(
            model_name='booking',
            name='discount_reason',
            field=models.CharField(db_default='', default='', max_length=120),
        ),
        migrations.AddField(
            model_name='booking',
            name='total',
            field=models.GeneratedField(db_persist=True, expression=crm.expressions.written.Written('({0} / 100.0)', 'ROUND({0} * 0.01, 2)', crm.expressions.written.Written('NULLIF(NULLIF(MIN(MAX({0}, -100000000000000), 100000000000000), -100000000000000), 100000000000000)', 'NULLIF(NULLIF(LEAST(GREATEST({0}, -100000000000000), 100000000000000), -100000000000000), 100000000000000)', crm.expressions.written.Written('({0} - {1})', '({0} - {1})', crm.expressions.written.Written('({0} * {1})', '({0} * {1})', crm.expressions.written.Written('{0}', 'CAST({0} AS numeric)', models.F('seats'), output_field=models.BigIntegerField()), crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('unit_price'), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('discount'), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.DecimalField(decimal_places=2, max_digits=14)), null=True, output_field=models.DecimalField(decimal_places=2, max_digits=14, null=True), verbose_name='Total'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='net',
            field=models.DecimalField(decimal_places=2, max_digits=14, null=True),
        ),
        migrations.AddField(
            model_name='invoice',
            name='tax',
            field=models.DecimalField(decimal_places=2, max_digits=14, null=True),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='net',
            field=models.GeneratedField(db_persist=True, expression=crm.expressions.written.Written('({0} / 100.0)', 'ROUND({0} * 0.01, 2)', crm.expressions.written.Written('NULLIF(NULLIF(MIN(MAX({0}, -100000000000000), 100000000000000), -100000000000000), 100000000000000)', 'NULLIF(NULLIF(LEAST(GREATEST({0}, -100000000000000), 100000000000000), -100000000000000), 100000000000000)', crm.expressions.written.Written('CAST(ROUND({0} / 1000000.0) AS INTEGER)', 'ROUND({0} * 0.000001, 0)', crm.expressions.written.Written('({0} * {1})', '({0} * {1})', crm.expressions.written.Written('({0} * {1})', '({0} * {1})', crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('quantity'), output_field=models.BigIntegerField()), crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('price'), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), crm.expressions.written.Written('({0} - {1})', '({0} - {1})', crm.expressions.written.Written('({0} * 100)', '({0} * 100)', crm.expressions.written.Written('100', 'CAST(100 AS numeric)', output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('discount'), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.DecimalField(decimal_places=2, max_digits=14)), null=True, output_field=models.DecimalField(decimal_places=2, max_digits=14, null=True), verbose_name='Net'),
        ),
        migrations.AddField(
            model_name='passenger',
            name='passport_short',
            field=models.BooleanField(null=True),
        ),
        migrations.AddField(
            model_name='trip',
            name='seats_sold',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name='invoice',
            name='total',
            field=models.DecimalField(decimal_places=2, max_digits=14, null=True),
        ),
        migrations.AddField(
            model_name='booking',
            name='balance',
            field=models.GeneratedField(db_persist=True, expression=crm.expressions.written.Written('({0} / 100.0)', 'ROUND({0} * 0.01, 2)', crm.expressions.written.Written('NULLIF(NULLIF(MIN(MAX({0}, -100000000000000), 100000000000000), -100000000000000), 100000000000000)', 'NULLIF(NULLIF(LEAST(GREATEST({0}, -100000000000000), 100000000000000), -100000000000000), 100000000000000)', crm.expressions.written.Written('({0} - {1})', '({0} - {1})', crm.expressions.written.Written('({0} - {1})', '({0} - {1})', crm.expressions.written.Written('({0} * {1})', '({0} * {1})', crm.expressions.written.Written('{0}', 'CAST({0} AS numeric)', models.F('seats'), output_field=models.BigIntegerField()), crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('unit_price'), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('discount'), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('paid'), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.DecimalField(decimal_places=2, max_digits=14)), null=True, output_field=models.DecimalField(decimal_places=2, max_digits=14, null=True), verbose_name='Balance'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='balance',
            field=models.GeneratedField(db_persist=True, expression=crm.expressions.written.Written('({0} / 100.0)', 'ROUND({0} * 0.01, 2)', crm.expressions.written.Written('NULLIF(NULLIF(MIN(MAX({0}, -100000000000000), 100000000000000), -100000000000000), 100000000000000)', 'NULLIF(NULLIF(LEAST(GREATEST({0}, -100000000000000), 100000000000000), -100000000000000), 100000000000000)', crm.expressions.written.Written('({0} - {1})', '({0} - {1})', crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('total'), output_field=models.BigIntegerField()), crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('paid'), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.DecimalField(decimal_places=2, max_digits=14)), null=True, output_field=models.DecimalField(decimal_places=2, max_digits=14, null=True), verbose_name='Balance'),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='amount',
            field=models.GeneratedField(db_persist=True, expression=crm.expressions.written.Written('({0} / 100.0)', 'ROUND({0} * 0.01, 2)', crm.expressions.written.Written('NULLIF(NULLIF(MIN(MAX({0}, -100000000000000), 100000000000000), -100000000000000), 100000000000000)', 'NULLIF(NULLIF(LEAST(GREATEST({0}, -100000000000000), 100000000000000), -100000000000000), 100000000000000)', crm.expressions.written.Written('({0} + {1})', '({0} + {1})', crm.expressions.written.Written('CAST(ROUND({0} / 1000000.0) AS INTEGER)', 'ROUND({0} * 0.000001, 0)', crm.expressions.written.Written('({0} * {1})', '({0} * {1})', crm.expressions.written.Written('({0} * {1})', '({0} * {1})', crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('quantity'), output_field=models.BigIntegerField()), crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('price'), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), crm.expressions.written.Written('({0} - {1})', '({0} - {1})', crm.expressions.written.Written('({0} * 100)', '({0} * 100)', crm.expressions.written.Written('100', 'CAST(100 AS numeric)', output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('discount'), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), crm.expressions.written.Written('CAST(ROUND({0} / 10000.0) AS INTEGER)', 'ROUND({0} * 0.0001, 0)', crm.expressions.written.Written('({0} * {1})', '({0} * {1})', crm.expressions.written.Written('CAST(ROUND({0} / 1000000.0) AS INTEGER)', 'ROUND({0} * 0.000001, 0)', crm.expressions.written.Written('({0} * {1})', '({0} * {1})', crm.expressions.written.Written('({0} * {1})', '({0} * {1})', crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('quantity'), output_field=models.BigIntegerField()), crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('price'), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), crm.expressions.written.Written('({0} - {1})', '({0} - {1})', crm.expressions.written.Written('({0} * 100)', '({0} * 100)', crm.expressions.written.Written('100', 'CAST(100 AS numeric)', output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('discount'), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('tax'), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.DecimalField(decimal_places=2, max_digits=14)), null=True, output_field=models.DecimalField(decimal_places=2, max_digits=14, null=True), verbose_name='Amount'),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='tax_amount',
            field=models.GeneratedField(db_persist=True, expression=crm.expressions.written.Written('({0} / 100.0)', 'ROUND({0} * 0.01, 2)', crm.expressions.written.Written('NULLIF(NULLIF(MIN(MAX({0}, -100000000000000), 100000000000000), -100000000000000), 100000000000000)', 'NULLIF(NULLIF(LEAST(GREATEST({0}, -100000000000000), 100000000000000), -100000000000000), 100000000000000)', crm.expressions.written.Written('CAST(ROUND({0} / 10000.0) AS INTEGER)', 'ROUND({0} * 0.0001, 0)', crm.expressions.written.Written('({0} * {1})', '({0} * {1})', crm.expressions.written.Written('CAST(ROUND({0} / 1000000.0) AS INTEGER)', 'ROUND({0} * 0.000001, 0)', crm.expressions.written.Written('({0} * {1})', '({0} * {1})', crm.expressions.written.Written('({0} * {1})', '({0} * {1})', crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('quantity'), output_field=models.BigIntegerField()), crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('price'), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), crm.expressions.written.Written('({0} - {1})', '({0} - {1})', crm.expressions.written.Written('({0} * 100)', '({0} * 100)', crm.expressions.written.Written('100', 'CAST(100 AS numeric)', output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('discount'), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), crm.expressions.written.Written('CAST(ROUND({0} * 100) AS INTEGER)', '(CAST({0} AS numeric) * 100)', models.F('tax'), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.DecimalField(decimal_places=2, max_digits=14)), null=True, output_field=models.DecimalField(decimal_places=2, max_digits=14, null=True), verbose_name='Tax due'),
        ),
        migrations.AddField(
            model_name='trip',
            name='seats_free',
            field=models.GeneratedField(db_persist=True, expression=crm.expressions.written.Written('{0}', 'CAST({0} AS bigint)', crm.expressions.written.Written('NULLIF(NULLIF(MIN(MAX({0}, -100000000000000), 100000000000000), -100000000000000), 100000000000000)', 'NULLIF(NULLIF(LEAST(GREATEST({0}, -100000000000000), 100000000000000), -100000000000000), 100000000000000)', crm.expressions.written.Written('({0} - {1})', '({0} - {1})', crm.expressions.written.Written('{0}', 'CAST({0} AS numeric)', models.F('capacity'), output_field=models.BigIntegerField()), crm.expressions.written.Written('{0}', 'CAST({0} AS numeric)', models.F('seats_sold'), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), null=True, output_field=models.BigIntegerField(null=True), verbose_name='Places left'),
        ),
        migrations.AddField(
            model_name='historicalbooking',
            name='paid',
            field=models.DecimalField(decimal_places=2, max_digits=14, null=True),
        ),
        migrations.AddField(
            model_name='historicalinvoice',
            name='paid',
            field=models.DecimalField(decimal_places=2, max_digits=14, null=True),
        ),
        migrations.AddField(
            model_name='historicalbooking',
            name='discount_reason',
            field=models.CharField(db_default='', default='', max_length=120),
        ),
        migrations.AddField(
            model_name='historicalbooking',
            name='total',
            field=models.DecimalField(decimal_places=2, max_digits=14, null=True),
        ),
        migrations.AddField(
            model_name='historicalinvoice',
            name='net',
            field=models.DecimalField(decimal_places=2, max_digits=14, null=True),
        ),
        migrations.AddField(
            model_name='historicalinvoice',
            name='tax',
            field=models.DecimalField(decimal_places=2, max_digits=14, null=True),
        ),
        migrations.AddField(
            model_name='historicalinvoiceline',
            name='net',
            field=models.DecimalField(decimal_places=2, max_digits=14, null=True),
        ),
        migrations.AddField(
            model_name='historicalpassenger',
            name='passport_short',
            field=models.BooleanField(null=True),
        ),
        migrations.AddField(
            model_name='historicaltrip',
            name='seats_sold',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name='historicalinvoice',
            name='total',
            field=models.DecimalField(decimal_places=2, max_digits=14, null=True),
        ),
        migrations.AddField(
            model_name='historicalbooking',
            name='balance',
            field=models.DecimalField(decimal_places=2, max_digits=14, null=True),
        ),
        migrations.AddField(
            model_name='historicalinvoice',
            name='balance',
            field=models.DecimalField(decimal_places=2, max_digits=14, null=True),
        ),
        migrations.AddField(
            model_name='historicalinvoiceline',
            name='amount',
            field=models.DecimalField(decimal_places=2, max_digits=14, null=True),
        ),
        migrations.AddField(
            model_name='historicalinvoiceline',
            name='tax_amount',
            field=models.DecimalField(decimal_places=2, max_digits=14, null=True),
        ),
        migrations.AddField(
            model_name='historicaltrip',
            name='seats_free',
            field=models.BigIntegerField(null=True),
        ),
    ]
