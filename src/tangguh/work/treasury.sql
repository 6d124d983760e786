-- What the treasury reads: the flow of a rail by the minute, and moves that were begun.

-- name: net_by_minute
-- Net outflow of a rail by minute since a payment id (they are time-ordered). Primary key.
SELECT date_trunc('minute', accepted_at) AS minute,
       sum(CASE WHEN kind = 'payment' THEN amount_minor + tip_minor
                WHEN kind = 'credit' THEN -(amount_minor + tip_minor) ELSE 0 END)::bigint AS minor
  FROM payments
 WHERE book_id = $1 AND payment_id >= $2 AND rail = $3
   AND state IN ('held', 'unanswered', 'posted', 'refunded')
 GROUP BY 1 ORDER BY 1

-- name: moves_begun
-- Moves that were begun since an act's id and have neither been posted nor called off. Primary key.
SELECT a.subject AS reference, a.detail AS move_json FROM acts AS a
 WHERE a.book_id = $1 AND a.act_id >= $2 AND a.what = 'exposure.begun'
   AND NOT EXISTS (SELECT 1 FROM acts AS e
                    WHERE e.book_id = a.book_id AND e.act_id > a.act_id AND e.subject = a.subject
                      AND e.what IN ('exposure.moved', 'exposure.called_off'))
 ORDER BY a.act_id

-- name: begun_since
-- Moves that were begun since an act's id and not called off. Primary key.
SELECT a.detail AS move_json FROM acts AS a
 WHERE a.book_id = $1 AND a.act_id >= $2 AND a.what = 'exposure.begun'
   AND NOT EXISTS (SELECT 1 FROM acts AS e
                    WHERE e.book_id = a.book_id AND e.act_id > a.act_id AND e.subject = a.subject
                      AND e.what = 'exposure.called_off')
 ORDER BY a.act_id
