-- name: resolve
-- Settles a finding.
update core.finding set resolution = %(resolution)s where finding_id = %(finding_id)s;
