-- The journal, schema version 9 (PRAGMA user_version). A change here is a new version: add its step to migrations.py.
--
-- Times are microseconds since 1970 UTC. Names that repeat (chats, lanes, routes) are rows of small tables, referred to by number.
-- Native ids are packed (codec.py): decimal ids are integers, Slack timestamps and UUIDs short blobs, the rest text.

-- last_event, last_delivery: highest numbers that pruning has taken away; pruned: how many events it took.
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE chat (id INTEGER PRIMARY KEY, account TEXT NOT NULL, chat_id TEXT NOT NULL, UNIQUE (account, chat_id)) STRICT;
-- last_seq: no higher lane_seq has been given out in it. Numbers are set aside some at a time: a crash leaves a few of them out.
CREATE TABLE lane (
  id INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  address TEXT NOT NULL,
  last_seq INTEGER NOT NULL DEFAULT 0,
  UNIQUE (account, address)
) STRICT;
-- Where copies are: a thread of a lane's chat, or (thread is null) the chat itself.
CREATE TABLE lane_end (id INTEGER PRIMARY KEY, lane INTEGER NOT NULL, thread ANY, UNIQUE (lane, thread)) STRICT;
CREATE UNIQUE INDEX lane_end_chat ON lane_end (lane) WHERE thread IS NULL;
CREATE TABLE route (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

-- One row per accepted event, for as long as retention says: `key` (a hash of the event key) is what recognises redelivery.
-- message, also, author, author_id, username, thread (the origin's): of a created message only. Its deliveries have the numbers
-- first_delivery and following.
-- open: deliveries that are neither delivered nor skipped.
CREATE TABLE event (
  seq INTEGER PRIMARY KEY,
  key BLOB NOT NULL UNIQUE,
  accepted_at INTEGER NOT NULL,
  origin INTEGER NOT NULL,
  message ANY,
  also TEXT,
  author TEXT,
  first_delivery INTEGER NOT NULL,
  deliveries INTEGER NOT NULL,
  open INTEGER NOT NULL,
  author_id ANY,
  username TEXT,
  thread ANY
) STRICT;
CREATE INDEX event_done ON event (accepted_at) WHERE open = 0;

-- The event itself as JSON, gone once nothing needs it. Apart from `event`, so that its pages are freed and used again.
CREATE TABLE body (seq INTEGER PRIMARY KEY, json BLOB NOT NULL) STRICT;

-- state: 0 waiting, 1 sending, 2 held, 3 dead, 4 delivered, 5 skipped, 6 behind. at: when that was recorded; null for what waits
-- since it was accepted. first_attempt_at: by the clock of that moment, so that the difference is the time spent on it.
-- note: last error, reason of death, losses or skip rule, as the state has it.
-- base: the created event whose parts an open delivery has sent; null while it has sent none.
-- lane_seq: its place in its lane, in the order of commit; null once it is delivered or skipped.
CREATE TABLE delivery (
  id INTEGER PRIMARY KEY,
  event INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  route INTEGER NOT NULL,
  thread ANY,
  state INTEGER NOT NULL,
  attempt INTEGER,
  first_attempt_at INTEGER,
  not_before INTEGER,
  base INTEGER,
  at INTEGER,
  note TEXT,
  lane_seq INTEGER
) STRICT;
CREATE INDEX delivery_line ON delivery (lane, lane_seq) WHERE state IN (0, 1);
CREATE INDEX delivery_behind ON delivery (lane, id) WHERE state = 6;
CREATE INDEX delivery_dead ON delivery (id) WHERE state IN (2, 3);

-- How a message of several parts is made up, while its delivery is open or dead. Opaque.
CREATE TABLE plan (delivery INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT;

-- The newest change of a message: json is the edit, or null for its deletion. seq: of that event. It is asked by what is still to be
-- sent of the message, and by the message itself when it comes after its change.
CREATE TABLE latest (chat INTEGER NOT NULL, message ANY NOT NULL, seq INTEGER NOT NULL, json BLOB, PRIMARY KEY (chat, message))
  STRICT, WITHOUT ROWID;
CREATE INDEX latest_seq ON latest (seq);

-- Every change of a message that was accepted, for who asks what became of it. kind: 0 edit, 1 deletion, 2 reactions, 3 pin, 4 unpin,
-- 5 votes. chat, message: of the original or of a copy, whichever was changed. seq: of that event.
CREATE TABLE change (
  chat INTEGER NOT NULL,
  message ANY NOT NULL,
  kind INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (chat, message, kind, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX change_seq ON change (seq);

-- The copies of a created event at an end. delivery: the created event's own; edit: the last other delivery that sent this part.
-- text: bits: 1 it carries text, 2 it is a native poll, 4 its files take no words, 8 a native place, 16 a native contact. marks: what its files are known by, a JSON list; empty if that was not kept, null if it has none.
-- data: the adapter's own note.
CREATE TABLE part (
  seq INTEGER NOT NULL,
  lane_end INTEGER NOT NULL,
  part INTEGER NOT NULL,
  chat INTEGER NOT NULL,
  message ANY,
  more TEXT,
  thread ANY,
  data ANY,
  text INTEGER NOT NULL,
  marks TEXT,
  delivery INTEGER,
  edit INTEGER,
  PRIMARY KEY (seq, lane_end, part)
) STRICT, WITHOUT ROWID;

-- Created events that were merged into one message of an end, in the order of seq. lead: names the message, its first event.
CREATE TABLE piece (
  seq INTEGER NOT NULL,
  lane_end INTEGER NOT NULL,
  lead INTEGER NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (seq, lane_end)
) STRICT, WITHOUT ROWID;
CREATE INDEX piece_lead ON piece (lane_end, lead);

-- Every native message that is known. copy: 0 original, 1 copy, 2 copy that is gone, kept since its deletion comes back as an echo.
-- rank: the latest event at that time, which orders the messages of a chat.
CREATE TABLE link (
  chat INTEGER NOT NULL,
  message ANY NOT NULL,
  seq INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  copy INTEGER NOT NULL,
  PRIMARY KEY (chat, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_recent ON link (chat, rank);

-- Messages with copy = 2, by event, so that pruning finds them.
CREATE TABLE gone (
  seq INTEGER NOT NULL,
  chat INTEGER NOT NULL,
  message ANY NOT NULL,
  PRIMARY KEY (seq, chat, message)
) STRICT, WITHOUT ROWID;

-- Who holds which emoji on a created event's message or one of its copies: `message` says on which of them, and is empty for what
-- version 2 has kept. event, position: when it was added. seq: 0 while the message itself has not come. name: of the person, as told.
CREATE TABLE reaction (
  seq INTEGER NOT NULL,
  chat INTEGER NOT NULL,
  message ANY NOT NULL,
  person TEXT NOT NULL,
  emoji TEXT NOT NULL,
  event INTEGER NOT NULL,
  position INTEGER NOT NULL,
  name TEXT,
  PRIMARY KEY (seq, chat, message, person, emoji)
) STRICT, WITHOUT ROWID;

-- A created event with a poll, as JSON, for as long as it is known: its copies show how people vote.
CREATE TABLE poll (seq INTEGER PRIMARY KEY, json BLOB NOT NULL) STRICT;
-- How people have voted on the poll of a created event, by native message: the original or a copy. counts: of each option, a JSON list.
CREATE TABLE vote (
  seq INTEGER NOT NULL,
  chat INTEGER NOT NULL,
  message ANY NOT NULL,
  counts BLOB NOT NULL,
  closed INTEGER NOT NULL,
  PRIMARY KEY (seq, chat, message)
) STRICT, WITHOUT ROWID;

-- What each native message of an album says (events.AlbumItem as JSON), since an edit tells of one of them only. seq: the created event.
CREATE TABLE item (
  seq INTEGER NOT NULL,
  place INTEGER NOT NULL,
  message ANY NOT NULL,
  json BLOB NOT NULL,
  PRIMARY KEY (seq, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE cursor (account TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (account, name)) STRICT;
-- What the bridge keeps for itself, of no account.
CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE native_id (account TEXT NOT NULL, address TEXT NOT NULL, chat_id TEXT NOT NULL, PRIMARY KEY (account, address)) STRICT;
-- at: when it was recorded.
CREATE TABLE wait (name TEXT PRIMARY KEY, until INTEGER NOT NULL, at INTEGER) STRICT, WITHOUT ROWID;
-- What people wish to be tried now. address: null for all of the account. at: when they wished it.
CREATE TABLE wish (account TEXT NOT NULL, address TEXT, at INTEGER NOT NULL) STRICT;

CREATE TABLE undecodable (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT NOT NULL,
  reason TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  raw BLOB NOT NULL
) STRICT;

-- Keys of the public listener. direction: in, out. origins: of a website's form, a JSON list. used_day: days since 1970. listened_until:
-- so long somebody looks on. What opens a key is kept as a hash, in key_secret: two of a key while it is rotated, none once it is revoked.
CREATE TABLE access_key (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  address TEXT NOT NULL,
  direction TEXT NOT NULL,
  label TEXT NOT NULL,
  form INTEGER NOT NULL,
  origins TEXT,
  per_minute INTEGER NOT NULL,
  most_bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER,
  used_day INTEGER,
  listened_until INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE key_secret (hash BLOB PRIMARY KEY, key TEXT NOT NULL, created_at INTEGER NOT NULL, valid_until INTEGER)
  STRICT, WITHOUT ROWID;
CREATE INDEX key_secret_key ON key_secret (key);

-- One-time links to make keys with. chats: a JSON list of [account, address]; keys: the ids of those that were made. session: a hash.
CREATE TABLE invite (
  hash BLOB PRIMARY KEY,
  chats TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  valid_until INTEGER NOT NULL,
  session BLOB UNIQUE,
  session_until INTEGER,
  keys TEXT
) STRICT, WITHOUT ROWID;

-- The newest requests of a key, while somebody looks on, and those that were refused. headers: JSON. whole: whether body is all of it.
-- replay_at: when a replay was asked for; replay_status: what it was answered, null until then.
CREATE TABLE arrival (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL,
  at INTEGER NOT NULL,
  method TEXT NOT NULL,
  query TEXT NOT NULL,
  headers BLOB NOT NULL,
  body BLOB NOT NULL,
  whole INTEGER NOT NULL,
  status INTEGER NOT NULL,
  answer TEXT NOT NULL,
  replay_at INTEGER,
  replay_status INTEGER,
  replay_answer TEXT
) STRICT;
CREATE INDEX arrival_key ON arrival (key, number);
CREATE INDEX arrival_replay ON arrival (number) WHERE replay_at IS NOT NULL AND replay_status IS NULL;

-- What is sent to who fetches it. last: the number of the newest message that ever was in it. name: of a message, the same for each attempt.
-- content: empty in the newest of those that are no longer kept, which says what its number was.
CREATE TABLE mailbox (
  id INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  chat TEXT NOT NULL,
  last INTEGER NOT NULL DEFAULT 0,
  UNIQUE (account, chat)
) STRICT;
CREATE TABLE mail (
  mailbox INTEGER NOT NULL,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  name TEXT NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (mailbox, number),
  UNIQUE (mailbox, name)
) STRICT;
CREATE INDEX mail_at ON mail (at);

-- What the last failed attempts of an open or dead delivery were answered. took: microseconds. status: null where no answer came.
CREATE TABLE answer (
  delivery INTEGER NOT NULL,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  took INTEGER NOT NULL,
  status INTEGER,
  body TEXT NOT NULL,
  PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;

-- What was decided about somebody on an account. kind: 0 opted out, 1 muted. name: as shown then. until: null for ever.
CREATE TABLE decision (
  account TEXT NOT NULL,
  user TEXT NOT NULL,
  kind INTEGER NOT NULL,
  name TEXT NOT NULL,
  at INTEGER NOT NULL,
  by TEXT NOT NULL,
  until INTEGER,
  PRIMARY KEY (account, user, kind)
) STRICT, WITHOUT ROWID;
-- Accounts that are one person's, by the person's own claim. person: the same for all of them.
CREATE TABLE linked (
  account TEXT NOT NULL,
  user TEXT NOT NULL,
  person TEXT NOT NULL,
  name TEXT NOT NULL,
  username TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (account, user)
) STRICT, WITHOUT ROWID;
-- Links that are being made. asker, other: who, and where to answer, as JSON; other is empty until somebody said the code. step: 0 asked,
-- 1 said, 2 the asker agreed, 3 the other one did. code: a hash.
CREATE TABLE claim (
  account TEXT NOT NULL,
  user TEXT NOT NULL,
  asker BLOB NOT NULL,
  step INTEGER NOT NULL,
  code BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  valid_until INTEGER NOT NULL,
  other BLOB NOT NULL,
  PRIMARY KEY (account, user)
) STRICT, WITHOUT ROWID;
-- Under which names people are shown in a chat, so that two do not look alike. look: what is left of a name that the eye tells apart.
-- who: of the person. mark: what is added to the name.
CREATE TABLE shown_name (
  account TEXT NOT NULL,
  address TEXT NOT NULL,
  look TEXT NOT NULL,
  who TEXT NOT NULL,
  mark TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (account, address, look, who)
) STRICT, WITHOUT ROWID;
-- Which run of the bridge accepted a delivery: the one with the greatest first_delivery that is not above its number. mark: random.
CREATE TABLE generation (first_delivery INTEGER PRIMARY KEY, mark TEXT NOT NULL) STRICT;
-- What became of messages, in the order in which it was committed: the newest of it. what: the steps first, first + 1 and so on, packed
-- (steps.py): each a delivery and its state then, or an event that came. event: of the coming of no event behind it a row tells.
CREATE TABLE step (first INTEGER PRIMARY KEY, event INTEGER NOT NULL, what BLOB NOT NULL) STRICT;
-- Who did what, without anybody's words.
CREATE TABLE audit (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  result TEXT NOT NULL
) STRICT;
-- Dead letters of which something was said at their source.
CREATE TABLE shown_dead (delivery INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;
-- Threads that are one conversation have the same bond; each chat has one at most. thread: null where there is none. state: 0 it is there,
-- 1 it is being made, 2 it could not be made, 3 it is gone or takes no messages. made: 0 not by the bridge, 1 by it, at a message,
-- 2 by it alone. closed: the conversation is. titled_by: the event whose copy says the title where there is no thread. at: when it
-- was used last; for one that is being made, when that began.
CREATE TABLE partner (
  bond INTEGER NOT NULL,
  chat INTEGER NOT NULL,
  thread ANY,
  title TEXT NOT NULL,
  state INTEGER NOT NULL,
  at INTEGER NOT NULL,
  made INTEGER NOT NULL DEFAULT 0,
  closed INTEGER NOT NULL DEFAULT 0,
  titled_by INTEGER,
  PRIMARY KEY (bond, chat)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX partner_thread ON partner (chat, thread) WHERE thread IS NOT NULL;
CREATE INDEX partner_wanted ON partner (chat) WHERE state = 1;
