SELECT countIf(level >= 1), countIf(level >= 2), countIf(level >= 3) FROM
 (SELECT user_id, windowFunnel(604800)(time, event = 9, event = 14, event = 15) AS level
  FROM ev WHERE event IN (9, 14, 15) GROUP BY user_id)
