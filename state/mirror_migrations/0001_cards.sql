-- The mirror: what POHODA's documents have told so far, in POHODA's own tables and columns, so that the views that read
-- its database read it, too. Some columns are ours: Otisk (the digest of the item as it stood in the document), Klic (the
-- code as it is compared), SazbaDPH (the rate itself, which POHODA's table does not hold), Hromadne (it came with a large
-- document); RowVer counts each change of a card or of what hangs on it.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES ('identity', lower(hex(randomblob(16)))), ('version', '0');

-- Documents by the hash of their content. `offset` and `part` say where reading goes on in the one under way.
CREATE TABLE document (
    sha         TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    size        INTEGER NOT NULL,
    stamp       TEXT NOT NULL DEFAULT '',
    outcome     TEXT NOT NULL CHECK (outcome = 'under way' OR outcome = 'done' OR outcome = 'quarantined'),
    offset      INTEGER NOT NULL DEFAULT 0,
    part        INTEGER NOT NULL DEFAULT 0,
    looked      INTEGER NOT NULL DEFAULT 0,
    changed     INTEGER NOT NULL DEFAULT 0,
    bad         INTEGER NOT NULL DEFAULT 0,
    cards       INTEGER NOT NULL DEFAULT 0,
    reason      TEXT NOT NULL DEFAULT '',
    started_at  REAL NOT NULL,
    moved_at    REAL NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX document_under_way ON document (outcome) WHERE outcome = 'under way';
CREATE INDEX document_moved ON document (moved_at);

-- Items that could not be read, of the last document that told of them.
CREATE TABLE bad_item (
    code   TEXT NOT NULL,
    offset INTEGER NOT NULL,
    reason TEXT NOT NULL,
    hint   TEXT NOT NULL,
    name   TEXT NOT NULL,
    at     REAL NOT NULL,
    PRIMARY KEY (name, offset)
) WITHOUT ROWID;

-- When POHODA called which address of the receiver.
CREATE TABLE call (
    path  TEXT PRIMARY KEY,
    what  TEXT NOT NULL,
    at    REAL NOT NULL,
    count INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE sSklad (
    ID    INTEGER PRIMARY KEY AUTOINCREMENT,
    IDS   varchar(10) COLLATE NOCASE UNIQUE,
    SText varchar(32)
);

CREATE TABLE SKz (
    ID            INTEGER PRIMARY KEY AUTOINCREMENT,
    IDS           varchar(64) COLLATE NOCASE,
    RefSklad      int,
    RelSkTyp      int,
    Template      bit,
    IObchod       bit,
    Odbyt         bit,
    EAN           varchar(20),
    Nazev         varchar(90),
    SText         varchar(90),
    MJ            varchar(10),
    StavZ         float,
    Rezer         float,
    ObjedP        float,
    ObjedV        float,
    Hmotnost      float,
    Objem         float,
    RelDPHp       blob,
    SazbaDPH      float,
    ProdejKc      money,
    ProdejDPH     money,
    RefAD         int,
    Vyrobce       varchar(255),
    Popis         text,
    FmtPopis      bit,
    Popis2        text,
    FmtPopis2     bit,
    Novinka       bit,
    Doprodej      bit,
    Akce          bit,
    Doporucujeme  bit,
    Sleva         bit,
    Priprav       bit,
    Dodani        varchar(64),
    Doprava       varchar(64),
    RelZaruka     varchar(10),
    Zaruka        int,
    NazevRP       varchar(24),
    Pozn          text,
    Otisk         blob NOT NULL,
    Klic          TEXT NOT NULL,
    Hromadne      int NOT NULL,
    RowVer        int NOT NULL
);
CREATE INDEX SKz_IDS ON SKz (IDS);
CREATE INDEX SKz_Klic ON SKz (Klic, RefSklad);
CREATE INDEX SKz_Otisk ON SKz (Otisk);
CREATE UNIQUE INDEX SKz_RowVer ON SKz (RowVer);

CREATE TABLE SkRefObraz (
    ID       INTEGER PRIMARY KEY AUTOINCREMENT,
    RefAg    int NOT NULL,
    Soubor   varchar(200),
    Popis    varchar(90),
    Vychozi  bit,
    OrderFld int
);
CREATE INDEX SkRefObraz_RefAg ON SkRefObraz (RefAg);

-- Levels are told by their codes. Whether their prices are with VAT is not told, and is a setting.
CREATE TABLE SkCeny (
    ID  INTEGER PRIMARY KEY AUTOINCREMENT,
    IDS varchar(10) COLLATE NOCASE UNIQUE
);

CREATE TABLE SKzCn (
    ID       INTEGER PRIMARY KEY AUTOINCREMENT,
    RefAg    int NOT NULL,
    RefSkCeny int NOT NULL,
    ProdejC  money
);
CREATE INDEX SKzCn_RefAg ON SKzCn (RefAg);
