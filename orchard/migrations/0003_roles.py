"""Roles: staff stay what they were as admins, everybody else looks on as before."""

from django.db import migrations


def make_group(apps, schema_editor):
    apps.get_model("auth", "Group").objects.get_or_create(name="operator")


def free_agents(apps, schema_editor):
    # Agents of this machine belong to nobody: whose role changes must not stop them.
    apps.get_model("orchard", "Token").objects.filter(name="local agents").update(owner=None)


class Migration(migrations.Migration):

    dependencies = [
        ("orchard", "0002_cleaning_run"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.RunPython(make_group, migrations.RunPython.noop),
        migrations.RunPython(free_agents, migrations.RunPython.noop),
    ]
