from django.db import migrations

# Events are append-only for the application. Of a merged contact they must still be found on the timeline of the one
# that stayed, so this one function, the owner's, may move them: within the organization of the transaction, and only
# away from a contact that is deleted.
MOVE_EVENTS = """
CREATE FUNCTION contacts_move_events(gone uuid, kept uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    mine uuid := NULLIF(current_setting('app.organization_id', true), '')::uuid;
    moved integer;
BEGIN
    IF NOT EXISTS (SELECT FROM contacts_contact WHERE id = gone AND organization_id = mine AND deleted_at IS NOT NULL)
       OR NOT EXISTS (SELECT FROM contacts_contact WHERE id = kept AND organization_id = mine AND deleted_at IS NULL)
    THEN
        RAISE EXCEPTION 'events move from a deleted contact to a living one of the same organization';
    END IF;
    UPDATE core_event SET contact_id = kept WHERE organization_id = mine AND contact_id = gone;
    GET DIAGNOSTICS moved = ROW_COUNT;
    RETURN moved;
END $$;
REVOKE ALL ON FUNCTION contacts_move_events(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION contacts_move_events(uuid, uuid) TO crm_app;
"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0002_walls")]

    operations = [
        migrations.RunSQL(MOVE_EVENTS, "DROP FUNCTION contacts_move_events(uuid, uuid)"),
    ]
