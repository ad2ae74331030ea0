-- for every event: the latest first step before it, then the latest first step of a chain of two
SELECT count(level), count(nullif(level, 1)), count(CASE WHEN level = 3 THEN 1 END) FROM
 (SELECT user_id, max(CASE WHEN event = 15 AND time - c2 <= 604800 THEN 3
                           WHEN c2 IS NOT NULL THEN 2 WHEN c1 IS NOT NULL THEN 1 END) AS level
  FROM (SELECT user_id, time, event, c1,
               max(CASE WHEN event = 14 AND time - c1 <= 604800 THEN c1 END) OVER w AS c2
        FROM (SELECT user_id, time, event, max(CASE WHEN event = 9 THEN time END) OVER w AS c1
              FROM ev WHERE event IN (9, 14, 15)
              WINDOW w AS (PARTITION BY user_id ORDER BY time ROWS UNBOUNDED PRECEDING))
        WINDOW w AS (PARTITION BY user_id ORDER BY time ROWS UNBOUNDED PRECEDING))
  GROUP BY user_id)
