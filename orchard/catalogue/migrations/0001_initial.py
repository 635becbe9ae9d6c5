import orchard.catalogue.models
from django.db import migrations, models

from orchard.catalogue import text_index


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Reading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('identity', models.CharField(default=orchard.catalogue.models.new_identity, max_length=32)),
                ('version', models.BigIntegerField(default=0)),
                ('cursor', models.TextField(default='')),
                ('phase', models.CharField(choices=[('events', 'follows'), ('jobs', 'reads all jobs'), ('rows', 'drops rows of no job')], default='jobs', max_length=8)),
                ('place', models.TextField(default='')),
                ('is_begun', models.BooleanField(default=False)),
                ('is_complete', models.BooleanField(default=False)),
            ],
            options={
                'db_table': 'catalogue_reading',
            },
        ),
        migrations.CreateModel(
            name='CataloguedJob',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('job_id', models.CharField(max_length=64, unique=True)),
                ('folded', models.TextField()),
                ('marks', models.TextField(default='')),
                ('status', models.CharField(max_length=16)),
                ('created_ms', models.BigIntegerField()),
                ('updated_ms', models.BigIntegerField()),
                ('bytes', models.BigIntegerField(default=0)),
                ('duration_ms', models.BigIntegerField(default=0)),
            ],
            options={
                'db_table': 'catalogue_job',
                'indexes': [models.Index(fields=['created_ms', 'id'], name='catalogue_created'), models.Index(fields=['updated_ms', 'id'], name='catalogue_updated'), models.Index(fields=['folded', 'id'], name='catalogue_name'), models.Index(fields=['bytes', 'id'], name='catalogue_bytes'), models.Index(fields=['duration_ms', 'id'], name='catalogue_duration'), models.Index(fields=['status', 'created_ms', 'id'], name='catalogue_of_created'), models.Index(fields=['status', 'updated_ms', 'id'], name='catalogue_of_updated'), models.Index(fields=['status', 'folded', 'id'], name='catalogue_of_name'), models.Index(fields=['status', 'bytes', 'id'], name='catalogue_of_bytes'), models.Index(fields=['status', 'duration_ms', 'id'], name='catalogue_of_duration')],
            },
        ),
        # SQLite makes a table anew when a later migration changes it: then its triggers, too.
        migrations.RunPython(text_index.make, text_index.unmake),
    ]

