-- 100,000 comments, one every minute: 2,000 are held, 500 wait to be scored, the rest is decided.
CREATE FUNCTION pg_temp.six(n int) RETURNS text LANGUAGE sql AS $$ SELECT to_char(n, 'fm000000') $$;
CREATE FUNCTION pg_temp.minutes(n int) RETURNS timestamptz LANGUAGE sql AS
    $$ SELECT TIMESTAMPTZ '2026-11-01 00:00Z' - n * INTERVAL '1 minute' $$;

INSERT INTO sites (id, name, allowed_origins, created_at)
SELECT 'site_' || n, 'a', '[]', pg_temp.minutes(n) FROM generate_series(0, 19) n;
INSERT INTO moderators (id, name, role, created_at) VALUES ('mod_1', 'Bruno', 'moderator', now());
INSERT INTO threads (id, site_id, key, closed, created_at)
SELECT 'th_' || n, 'site_' || mod(n, 20), 'page ' || n, false, pg_temp.minutes(n) FROM generate_series(0, 1999) n;
INSERT INTO comments (id, site_id, thread_id, author, author_key, status, submission_id, version, created_at)
SELECT 'c_' || pg_temp.six(n), 'site_' || mod(n, 20), 'th_' || mod(n, 2000), '{"name": "A"}',
    'id:' || mod(n, 5000), CASE WHEN n < 2000 THEN 'held' WHEN mod(n, 3) = 0 THEN 'rejected' ELSE 'approved' END,
    's_' || pg_temp.six(n), 2, pg_temp.minutes(n)
FROM generate_series(0, 99999) n;
INSERT INTO submissions (id, comment_id, site_id, body, body_bytes, body_digest, context, created_at, judged_at,
    attempts)
SELECT 's_' || pg_temp.six(n), 'c_' || pg_temp.six(n), 'site_' || mod(n, 20), 'a text ' || n, 20,
    md5((mod(n, 50000))::text), '{}', pg_temp.minutes(n),
    CASE WHEN n >= 99500 THEN NULL ELSE pg_temp.minutes(n) END, 1
FROM generate_series(0, 99999) n;
INSERT INTO scores (submission_id, model_version, spam, toxicity, severe_toxicity, obscene, threat, insult,
    identity_attack, created_at)
SELECT 's_' || pg_temp.six(n), 'v', 0.5, 0, 0, 0, 0, 0, 0, pg_temp.minutes(n)
FROM generate_series(0, 99999) n;
INSERT INTO shadows (id, model_version, begun_by, begun_at, ended_at, ended_because)
SELECT 'sha_' || n, 'w', 'Carla', pg_temp.minutes(n), pg_temp.minutes(n), 'enough' FROM generate_series(0, 9) n;
INSERT INTO shadow_scores (shadow_id, submission_id, champion, verdict, shadow_verdict, spam, toxicity, severe_toxicity,
    obscene, threat, insult, identity_attack, created_at)
SELECT 'sha_' || mod(n / 5, 10), 's_' || pg_temp.six(n), 'v', 'approved', CASE WHEN mod(n, 9) = 0 THEN 'held' ELSE 'approved' END,
    0.4, 0, 0, 0, 0, 0, 0, pg_temp.minutes(n)
FROM generate_series(0, 99999, 5) n;
INSERT INTO queue_items (id, site_id, comment_id, submission_id, reason, findings, model_version, top_score, opened_at,
    due_at, closed_at, version)
SELECT 'i_' || pg_temp.six(n), 'site_' || mod(n, 20), 'c_' || pg_temp.six(n),
    's_' || pg_temp.six(n), 'spam', '[]', 'v', random(), pg_temp.minutes(n), pg_temp.minutes(n),
    CASE WHEN n < 2000 THEN NULL ELSE pg_temp.minutes(n) END, 1
FROM generate_series(0, 99999) n;
INSERT INTO decisions (id, site_id, comment_id, submission_id, number, action, reason, status_before, status_after,
    actor_kind, actor_name, findings, queue_item_id, created_at)
SELECT 'd_' || pg_temp.six(n), 'site_' || mod(n, 20), 'c_' || pg_temp.six(n),
    's_' || pg_temp.six(n), 2, 'approve', 'clean', 'held', 'approved', 'moderator', 'Bruno', '[]',
    'i_' || pg_temp.six(n), pg_temp.minutes(n)
FROM generate_series(0, 99999) n;
INSERT INTO labels (id, submission_id, category, value, source, created_at, retracted_at)
SELECT 'l_' || pg_temp.six(n), 's_' || pg_temp.six(n), 'spam', true, 'moderator', now(), now()
FROM generate_series(0, 99999) n;
INSERT INTO idempotency_keys (site_id, key, request_digest, comment_id, created_at)
SELECT 'site_' || mod(n, 20), 'key ' || n, '', 'c', TIMESTAMPTZ '2026-11-01 00:00Z' - n * INTERVAL '900 milliseconds'
FROM generate_series(0, 99999) n;
INSERT INTO reports (id, site_id, comment_id, submission_id, reporter, reason, queue_item_id, outcome, created_at)
SELECT 'rep_' || pg_temp.six(n), 'site_' || mod(n, 20), 'c_' || pg_temp.six(n), 's_' || pg_temp.six(n), 'r', 'spam',
    'i_' || pg_temp.six(n), 'dismissed', pg_temp.minutes(n)
FROM generate_series(0, 99999) n;
INSERT INTO remarks (id, queue_item_id, kind, reason, moderator_id, moderator_name, created_at)
SELECT 'rem_' || pg_temp.six(n), 'i_' || pg_temp.six(n), CASE WHEN mod(n, 50) = 0 THEN 'released' ELSE 'noted' END,
    CASE WHEN mod(n, 50) = 0 THEN 'conflict' END, 'mod_1', 'Bruno', pg_temp.minutes(n)
FROM generate_series(0, 99999) n;
INSERT INTO selections (id, moderator_id, items, created_at)
SELECT 'sel_' || n, 'mod_1', '[]', TIMESTAMPTZ '2026-11-01 00:00Z' - n * INTERVAL '5 seconds'
FROM generate_series(0, 19999) n;
INSERT INTO text_imprints (submission_id, numbers, key_1, key_2, key_3, key_4)
SELECT 's_' || pg_temp.six(n), int8send(n) || int8send(n + 1000000), mod(n, 50000), mod(n, 30000), mod(n, 20000),
    mod(n, 10000)
FROM generate_series(0, 99499) n;
INSERT INTO memories (submission_id, site_id, numbers)
SELECT 's_' || pg_temp.six(n), 'site_' || mod(n, 20), int8send(n) FROM generate_series(0, 99499) n;
INSERT INTO memory_keys (key, submission_id)
SELECT mod(n * k, 40000), 's_' || pg_temp.six(n) FROM generate_series(0, 99499) n, generate_series(1, 3) k
ON CONFLICT DO NOTHING;
INSERT INTO link_domains (site_id, domain, submission_id)
SELECT 'site_' || mod(n, 20), mod(n, 500) || '.example', 's_' || pg_temp.six(n) FROM generate_series(0, 99499) n;
INSERT INTO trace_progress (name, decision_id) VALUES ('traces', 'd_000100');
INSERT INTO webhook_endpoints (id, site_id, url, events, enabled, include_body, include_moderator, salt, created_at)
SELECT 'we_' || n, 'site_' || n, 'https://a.example', '["comment.approved"]', true, false, false, 's', now()
FROM generate_series(0, 9) n;
INSERT INTO webhook_deliveries (id, endpoint_id, event, body, status, attempts, due_at, created_at, finished_at)
SELECT 'dlv_' || pg_temp.six(n), 'we_' || mod(n, 10), 'comment.approved', '{}', 'delivered', 1, pg_temp.minutes(n),
    pg_temp.minutes(n), CASE WHEN n < 500 THEN NULL ELSE TIMESTAMPTZ '2026-11-01 00:00Z' - n * INTERVAL '1 second' END
FROM generate_series(0, 99999) n;
