from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0002_walls")]

    operations = [
        migrations.AddField("idempotencykey", "subject_type", models.CharField(db_default="", max_length=60)),
        migrations.AddField("idempotencykey", "subject_id", models.UUIDField(null=True)),
    ]
