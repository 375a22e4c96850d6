-- A delivery may wait until something else of the shop exists: `waits` names it as thing/key. Waiting rows are not in
-- the index that the next batch is taken from, so that ten thousand of them cost nothing until they are woken.

ALTER TABLE delivery ADD COLUMN waits TEXT CHECK (waits IS NULL OR status <> 'delivered');
DROP INDEX delivery_pending;
CREATE INDEX delivery_pending ON delivery (target, lane, place) WHERE status = 'pending' AND waits IS NULL;
CREATE INDEX link_intent ON link (intent) WHERE intent IS NOT NULL;
CREATE INDEX delivery_waits ON delivery (waits) WHERE waits IS NOT NULL;
