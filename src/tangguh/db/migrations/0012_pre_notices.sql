-- Word to people: notices, every try to deliver one, addresses, subscriptions.
-- Why: what somebody was told, in these words, and the proof that it was taken, must outlive the
--      processes that told it. Tokens are kept as hashes only.
-- Locks: new tables only. Back out: drop the tables.

CREATE TABLE notices (
    book_id   smallint NOT NULL,
    notice_id uuid     NOT NULL,
    person    text     NOT NULL,
    language  text     NOT NULL,
    matter    text     NOT NULL,
    step      text     NOT NULL,
    template  text     NOT NULL,
    urgency   text     NOT NULL,
    channels  text     NOT NULL,
    in_app    boolean  NOT NULL,
    title     text     NOT NULL,
    body      text     NOT NULL,
    sms       text     NOT NULL,
    made_at   timestamptz NOT NULL,
    state     text     NOT NULL,
    via       text     NOT NULL,
    attempts  integer  NOT NULL,
    tried     boolean  NOT NULL DEFAULT false,
    due_at    timestamptz NOT NULL,
    reason    text     NOT NULL,
    read_at   timestamptz,
    PRIMARY KEY (book_id, notice_id),
    CONSTRAINT a_step_of_a_matter_is_told_once UNIQUE (book_id, matter, step, person),
    CONSTRAINT notice_state_is_known CHECK
        (state IN ('due', 'sending', 'delivered', 'held_back', 'in_app', 'failed')),
    CONSTRAINT notice_urgency_is_known CHECK (urgency IN ('now', 'can_wait')),
    CONSTRAINT what_is_on_its_way_has_a_way CHECK
        (state NOT IN ('due', 'sending', 'delivered') OR via <> ''),
    CONSTRAINT an_end_without_delivery_has_a_reason CHECK
        (state NOT IN ('held_back', 'in_app', 'failed') OR reason <> ''),
    CONSTRAINT only_what_is_in_the_app_is_read_there CHECK (in_app OR read_at IS NULL),
    CONSTRAINT what_is_kept_in_the_app_is_there CHECK
        (state NOT IN ('held_back', 'in_app') OR in_app)
) WITH (fillfactor = 70);
-- What a sender looks at: due by one way, or left behind by a sender that died.
CREATE INDEX notices_open ON notices (book_id, via, due_at) WHERE state IN ('due', 'sending');
-- What a customer reads in the app, newest first.
CREATE INDEX notices_inbox ON notices (book_id, person, made_at DESC, notice_id DESC)
    WHERE in_app;
-- How many of them are new.
CREATE INDEX notices_unread ON notices (book_id, person) WHERE in_app AND read_at IS NULL;

CREATE TABLE notice_deliveries (
    book_id    smallint NOT NULL,
    notice_id  uuid     NOT NULL,
    via        text     NOT NULL,
    attempt    integer  NOT NULL,
    address_id uuid     NOT NULL,
    person     text     NOT NULL,
    began_at   timestamptz NOT NULL,
    outcome    text     NOT NULL,
    ended_at   timestamptz,
    reference  text     NOT NULL DEFAULT '',
    said       text     NOT NULL DEFAULT '',
    arrival    text     NOT NULL DEFAULT '',
    arrival_at timestamptz,
    PRIMARY KEY (book_id, notice_id, via, attempt, address_id),
    FOREIGN KEY (book_id, notice_id) REFERENCES notices (book_id, notice_id),
    CONSTRAINT delivery_outcome_is_known CHECK
        (outcome IN ('under_way', 'delivered', 'later', 'rejected', 'lost')),
    CONSTRAINT what_ended_says_when CHECK ((outcome = 'under_way') = (ended_at IS NULL)),
    CONSTRAINT a_delivery_has_its_proof CHECK (outcome <> 'delivered' OR reference <> ''),
    CONSTRAINT arrival_is_known CHECK (arrival IN ('', 'arrived', 'under_way', 'lost')),
    CONSTRAINT an_arrival_says_when CHECK ((arrival = '') = (arrival_at IS NULL))
) WITH (fillfactor = 70);
-- What one person got by one way within the hour.
CREATE INDEX deliveries_of_person ON notice_deliveries (book_id, person, via, began_at);
-- A provider's later word on one message.
CREATE INDEX deliveries_by_reference ON notice_deliveries (book_id, via, reference)
    WHERE reference <> '';

CREATE TABLE notice_addresses (
    book_id    smallint NOT NULL,
    address_id uuid     NOT NULL,
    person     text     NOT NULL,
    via        text     NOT NULL,
    address    text     NOT NULL,
    language   text     NOT NULL,
    known_at   timestamptz NOT NULL,
    confirmed_at timestamptz,
    gone_at    timestamptz,
    gone_why   text     NOT NULL DEFAULT '',
    PRIMARY KEY (book_id, address_id),
    CONSTRAINT an_address_is_a_persons_once UNIQUE (book_id, person, via, address),
    CONSTRAINT address_language_is_known CHECK (language IN ('id', 'en')),
    CONSTRAINT what_is_gone_says_why CHECK ((gone_at IS NULL) = (gone_why = ''))
);
-- A subscriber is an address: the same one again is the same subscriber.
CREATE UNIQUE INDEX a_subscriber_is_an_address ON notice_addresses (book_id, via, address)
    WHERE person LIKE 'subscriber:%';

CREATE TABLE notice_subscriptions (
    book_id         smallint NOT NULL,
    subscription_id uuid     NOT NULL,
    person          text     NOT NULL,
    components      text[]   NOT NULL,
    asked_at        timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    confirmed_at    timestamptz,
    ended_at        timestamptz,
    confirm_sha256     bytea NOT NULL,
    unsubscribe_sha256 bytea NOT NULL,
    PRIMARY KEY (book_id, subscription_id),
    CONSTRAINT a_token_is_kept_as_its_hash CHECK
        (length(confirm_sha256) = 32 AND length(unsubscribe_sha256) = 32),
    CONSTRAINT a_live_subscription_is_for_something CHECK
        (ended_at IS NOT NULL OR cardinality(components) > 0)
);
-- Who is told about a component.
CREATE INDEX subscriptions_live ON notice_subscriptions USING gin (components)
    WHERE confirmed_at IS NOT NULL AND ended_at IS NULL;
CREATE UNIQUE INDEX subscriptions_to_confirm ON notice_subscriptions (book_id, confirm_sha256);
-- Whether a subscriber still wants anything.
CREATE INDEX subscriptions_of_person ON notice_subscriptions (book_id, person)
    WHERE ended_at IS NULL;
-- One token ends everything of one subscriber.
CREATE INDEX subscriptions_to_end ON notice_subscriptions (book_id, unsubscribe_sha256);
