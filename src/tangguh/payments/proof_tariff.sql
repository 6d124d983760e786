-- What would break the tariff's invariants: fees, discounts and whom a service may credit, each by
-- what was in force when the payment was accepted. No row: the invariant holds. ($1 = book_id)

-- name: fees_follow_the_tariff
-- A payment's fee is the tariff's of its instant, and once it is posted that is what we earned.
WITH rates AS (
    SELECT name, value_json::bigint AS minor, at AS since,
           lead(at, 1, 'infinity') OVER (PARTITION BY name ORDER BY at, change_id) AS until
      FROM tariff_changes WHERE book_id = $1 AND kind = 'fee'),
earned AS (
    SELECT posting_id, sum(amount_minor) AS minor FROM entries
     WHERE book_id = $1 AND account_id = 401001 GROUP BY posting_id)
SELECT p.payment_id, p.service, p.fee_minor,
       coalesce(own.minor, plain.minor, 0) AS due, e.minor AS earned
  FROM payments AS p
  LEFT JOIN accounts AS a ON a.book_id = p.book_id AND a.account_id = p.debtor
  LEFT JOIN rates AS own ON own.name = p.service || '/' || a.tier
   AND own.since <= p.accepted_at AND p.accepted_at < own.until
  LEFT JOIN rates AS plain ON plain.name = p.service
   AND plain.since <= p.accepted_at AND p.accepted_at < plain.until
  LEFT JOIN earned AS e ON e.posting_id = p.payment_id
 WHERE p.book_id = $1 AND p.kind <> 'refund' AND p.state <> 'refused'
   AND (p.fee_minor <> CASE WHEN p.kind = 'payment'
                            THEN coalesce(own.minor, plain.minor, 0) ELSE 0 END
        OR coalesce(e.minor, 0) <> CASE WHEN p.state IN ('posted', 'refunded')
                                        THEN p.fee_minor ELSE 0 END)

-- name: discounts_follow_the_tariff
-- A merchant of ours paid exactly the discount of its terms and of the tariff of that instant, from
-- nothing to the whole sum; nobody else paid any.
WITH terms AS (
    SELECT merchant_id, category_code, criteria, in_force_from AS since,
           lead(in_force_from, 1, 'infinity')
               OVER (PARTITION BY merchant_id ORDER BY in_force_from, terms_id) AS until
      FROM merchant_terms WHERE book_id = $1),
rates AS (
    SELECT name, at AS since, (value_json::json ->> 'per_ten_thousand')::numeric AS rate,
           (value_json::json ->> 'free_max_minor')::numeric AS free,
           lead(at, 1, 'infinity') OVER (PARTITION BY name ORDER BY at, change_id) AS until
      FROM tariff_changes WHERE book_id = $1 AND kind = 'discount'),
sold AS (
    SELECT payment_id, accepted_at, amount_minor + tip_minor AS minor,
           coalesce(order_json #>> '{payee,merchant_id}', order_json ->> 'merchant_id') AS merchant
      FROM payments
     WHERE book_id = $1 AND kind <> 'refund' AND state IN ('posted', 'refunded')
       AND (service IN ('mobile.qris.onus', 'in.qris.merchant')
            OR (service IN ('emoney.qris.server', 'emoney.qris.touristpass')
                AND order_json #>> '{payee,type}' = 'merchant'))),
due AS (
    SELECT s.payment_id,
           CASE WHEN s.minor <= coalesce(category.free, plain.free) THEN 0
                ELSE floor(s.minor * coalesce(category.rate, plain.rate) / 10000) END AS minor
      FROM sold AS s
      LEFT JOIN terms AS t ON t.merchant_id = s.merchant
       AND t.since <= s.accepted_at AND s.accepted_at < t.until
      LEFT JOIN rates AS category ON t.criteria <> 'UMI'
       AND category.name = 'category/' || t.category_code
       AND category.since <= s.accepted_at AND s.accepted_at < category.until
      LEFT JOIN rates AS plain ON plain.name = t.criteria
       AND plain.since <= s.accepted_at AND s.accepted_at < plain.until),
took AS (
    SELECT posting_id, sum(amount_minor) AS minor FROM entries
     WHERE book_id = $1 AND account_id = 401002 GROUP BY posting_id)
SELECT p.payment_id, p.service, p.discount_minor, due.minor AS due, took.minor AS took
  FROM payments AS p
  LEFT JOIN due ON due.payment_id = p.payment_id
  LEFT JOIN took ON took.posting_id = p.payment_id
 WHERE p.book_id = $1
   AND (p.discount_minor < 0 OR p.discount_minor > p.amount_minor + p.tip_minor
        OR (p.state IN ('posted', 'refunded') AND p.kind <> 'refund'
            AND ((due.payment_id IS NOT NULL AND due.minor IS NULL)
                 OR p.discount_minor <> coalesce(due.minor, 0)
                 OR coalesce(took.minor, 0) <> coalesce(due.minor, 0)))
        OR (p.kind = 'refund' AND (p.discount_minor <> 0 OR took.minor IS NOT NULL))
        OR (p.state NOT IN ('posted', 'refunded') AND took.minor IS NOT NULL))

-- name: merchants_are_paid_where_their_terms_say
-- Money for a merchant went to the account of its terms, and the merchants we read are their terms.
WITH terms AS (
    SELECT merchant_id, account_id, waiting_id, customer_id, category_code, criteria,
           in_force_from AS since,
           lead(in_force_from, 1, 'infinity')
               OVER (PARTITION BY merchant_id ORDER BY in_force_from, terms_id) AS until
      FROM merchant_terms WHERE book_id = $1)
SELECT p.payment_id::text AS what, p.creditor,
       coalesce(nullif(t.waiting_id, 0), t.account_id) AS expected
  FROM payments AS p
  LEFT JOIN terms AS t
    ON t.merchant_id = coalesce(p.order_json #>> '{payee,merchant_id}',
                                p.order_json ->> 'merchant_id')
   AND t.since <= p.accepted_at AND p.accepted_at < t.until
 WHERE p.book_id = $1 AND p.kind <> 'refund' AND p.state IN ('posted', 'refunded')
   AND (p.service IN ('mobile.qris.onus', 'in.qris.merchant', 'emoney.spend.card')
        OR p.order_json #>> '{payee,type}' = 'merchant')
   AND p.creditor IS DISTINCT FROM coalesce(nullif(t.waiting_id, 0), t.account_id)
UNION ALL
SELECT m.merchant_id, m.account_id, t.account_id
  FROM merchants AS m
  LEFT JOIN terms AS t ON t.merchant_id = m.merchant_id AND t.until = 'infinity'
 WHERE m.book_id = $1
   AND (m.account_id, m.waiting_id, m.customer_id, m.category_code, m.criteria)
       IS DISTINCT FROM
       (t.account_id, t.waiting_id, t.customer_id, t.category_code, t.criteria)

-- name: creditors_are_of_a_kind_the_service_may_credit
-- The same list as payments/terms/creditors.py: account 0 is any account of the kind.
WITH may (service, kind, account_id) AS (VALUES
    ('mobile.transfer.onus', 'customer', 0), ('mobile.transfer.onus', 'merchant', 0),
    ('atm.transfer.onus', 'customer', 0), ('atm.transfer.onus', 'merchant', 0),
    ('mobile.transfer.bifast', 'settlement', 102002),
    ('mobile.transfer.cards', 'settlement', 102003),
    ('atm.transfer.cards', 'settlement', 102003),
    ('mobile.qris.offus', 'settlement', 102001), ('mobile.qris.cpm', 'settlement', 102001),
    ('mobile.qris.onus', 'customer', 0), ('mobile.qris.onus', 'merchant', 0),
    ('mobile.qris.onus', 'payable', 0),
    ('emoney.qris.server', 'customer', 0), ('emoney.qris.server', 'merchant', 0),
    ('emoney.qris.server', 'payable', 0), ('emoney.qris.server', 'settlement', 102001),
    ('emoney.qris.touristpass', 'customer', 0), ('emoney.qris.touristpass', 'merchant', 0),
    ('emoney.qris.touristpass', 'payable', 0), ('emoney.qris.touristpass', 'settlement', 102001),
    ('emoney.spend.card', 'customer', 0), ('emoney.spend.card', 'merchant', 0),
    ('emoney.spend.card', 'payable', 0),
    ('mobile.topup.gopay', 'partner', 103001), ('mobile.topup.ovo', 'partner', 103002),
    ('mobile.topup.dana', 'partner', 103003), ('mobile.topup.isaku', 'partner', 103004),
    ('mobile.bill.electricity', 'settlement', 102021),
    ('mobile.bill.prepaid', 'settlement', 102022), ('mobile.bill.water', 'settlement', 102023),
    ('mobile.bill.tax', 'settlement', 102024), ('mobile.bill.school', 'settlement', 102025),
    ('mobile.bill.va', 'settlement', 102026), ('atm.bill.electricity', 'settlement', 102021),
    ('emoney.topup.card', 'purse', 0), ('emoney.topup.server', 'purse', 0),
    ('emoney.topup.touristpass', 'purse', 0),
    ('atm.cash.onus', 'vault', 0), ('atm.cash.cardless', 'vault', 0),
    ('atm.cash.acquirer', 'vault', 0), ('card.cash.offus', 'settlement', 102003),
    ('in.transfer.bifast', 'customer', 0), ('in.transfer.bifast', 'merchant', 0),
    ('in.transfer.cards', 'customer', 0), ('in.transfer.cards', 'merchant', 0),
    ('in.qris.merchant', 'customer', 0), ('in.qris.merchant', 'merchant', 0),
    ('in.qris.merchant', 'payable', 0))
SELECT p.payment_id, p.service, p.creditor, a.kind
  FROM payments AS p
  LEFT JOIN accounts AS a ON a.book_id = p.book_id AND a.account_id = p.creditor
 WHERE p.book_id = $1 AND p.kind <> 'refund' AND p.state <> 'refused'
   AND NOT EXISTS (SELECT 1 FROM may
                    WHERE may.service = p.service AND may.kind = a.kind
                      AND may.account_id IN (0, p.creditor))

-- name: an_order_moves_nothing_of_the_banks_own_but_its_fee
-- Of the bank's own accounts a payment's posting touches the debtor and the creditor, fees and
-- discounts by the sums above, and an e-money product's float and memo; money that could not reach
-- its account waits in suspense.
SELECT e.posting_id, e.account_id, e.amount_minor
  FROM entries AS e
  JOIN payments AS p ON p.book_id = e.book_id AND p.payment_id = e.posting_id
 WHERE e.book_id = $1 AND p.kind <> 'refund' AND e.account_id < 1000000
   AND e.account_id NOT IN (p.debtor, p.creditor, 401001, 401002)
   AND NOT (e.account_id IN (203001, 203002, 203003, 903001, 903002, 903003)
            AND (p.debtor BETWEEN 31000000000 AND 34999999999
                 OR p.creditor BETWEEN 31000000000 AND 34999999999))
   AND NOT (e.account_id = 209001 AND p.kind = 'credit')

-- name: a_payee_gets_the_sum_less_the_discount
-- Nobody is debited by an order but its debtor, and the creditor gets what was ordered less the
-- discount.
SELECT p.payment_id, p.creditor, p.amount_minor + p.tip_minor - p.discount_minor AS due, got.minor
  FROM payments AS p
  JOIN (SELECT posting_id, account_id, sum(amount_minor) AS minor FROM entries
         WHERE book_id = $1 GROUP BY posting_id, account_id) AS got
    ON got.posting_id = p.payment_id AND got.account_id = p.creditor
 WHERE p.book_id = $1 AND p.kind <> 'refund'
   AND got.minor <> p.amount_minor + p.tip_minor - p.discount_minor
