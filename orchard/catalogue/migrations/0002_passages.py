import django.db.models.deletion
from django.db import migrations, models

from orchard.catalogue import passage_index


class Migration(migrations.Migration):

    dependencies = [
        ('catalogue', '0001_initial'),
    ]

    operations = [
        # Without a default SQLite adds the column to the table as it is, with its triggers.
        migrations.AddField(
            model_name='cataloguedjob',
            name='text_read',
            field=models.BooleanField(null=True),
        ),
        migrations.AddIndex(
            model_name='cataloguedjob',
            index=models.Index(condition=models.Q(('status', 'completed'), ('text_read__isnull', True)), fields=['created_ms'], name='catalogue_unread'),
        ),
        migrations.CreateModel(
            name='Passage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('folded', models.TextField()),
                ('marks', models.TextField(default='')),
                ('lines', models.TextField()),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='passages', to='catalogue.cataloguedjob')),
            ],
            options={
                'db_table': 'catalogue_passage',
            },
        ),
        migrations.RunPython(passage_index.make, passage_index.unmake),
    ]
