-- Categories, parameters, suppliers and orders, and what hangs of them on cards; again POHODA's own tables and columns.
-- Ours are, beside those of the first step: Koren (the category with which a category stood in one item), Hlavni (the
-- main category of a card, which only XML tells), OtiskDod (the digest of the item that told of a card's suppliers).
-- SkParam.RefCM holds the code of the currency itself, for that is what XML tells.
--
-- RelTyp of parameters: 1 text, 3 boolean, 5 number and 8 list are what an integrator reads in POHODA's own tables;
-- 2 currency, 4 integer, 6 date and 7 unit are numbers of our own, for this file only; 0 is a word that nobody knows.

CREATE TABLE SkKat (
    ID        INTEGER PRIMARY KEY AUTOINCREMENT,
    IDS       varchar(48),
    SText     text,
    RefNodeID int NOT NULL DEFAULT 0,
    Poradi    int,
    Zobraz    bit,
    Obrazek   varchar(200),
    Pozn      text,
    Koren     int NOT NULL,
    Otisk     blob NOT NULL,
    Hromadne  int NOT NULL CHECK (Hromadne = 0 OR Hromadne = 1),
    RowVer    int NOT NULL
);
CREATE INDEX SkKat_Otisk ON SkKat (Otisk);
CREATE INDEX SkKat_RefNodeID ON SkKat (RefNodeID);
CREATE UNIQUE INDEX SkKat_RowVer ON SkKat (RowVer);

CREATE TABLE SkRefKat (
    ID     INTEGER PRIMARY KEY AUTOINCREMENT,
    RefAg  int NOT NULL,
    RefKat int NOT NULL,
    Hlavni bit NOT NULL CHECK (Hlavni = 0 OR Hlavni = 1)
);
CREATE INDEX SkRefKat_RefAg ON SkRefKat (RefAg);
CREATE INDEX SkRefKat_RefKat ON SkRefKat (RefKat);

CREATE TABLE SkParam (
    ID     INTEGER PRIMARY KEY AUTOINCREMENT,
    IDS    varchar(255),
    SText  varchar(255),
    RelTyp int NOT NULL DEFAULT 0 CHECK (RelTyp BETWEEN 0 AND 8),
    Delka  int,
    MJ     varchar(10),
    RefCM  blob,
    Otisk  blob NOT NULL DEFAULT x''
);
CREATE INDEX SkParam_Otisk ON SkParam (Otisk);

CREATE TABLE SkParamList (
    ID       INTEGER PRIMARY KEY AUTOINCREMENT,
    RefAg    int NOT NULL,
    IDS      varchar(255),
    SText    varchar(255),
    OrderFld int
);
CREATE INDEX SkParamList_RefAg ON SkParamList (RefAg, IDS);

CREATE TABLE SkRefParam (
    ID          INTEGER PRIMARY KEY AUTOINCREMENT,
    RefAg       int NOT NULL,
    RefParam    int NOT NULL,
    ValText     varchar(255),
    ValDouble   float,
    ValLong     int,
    ValCurrency money,
    ValDate     datetime,
    OrderFld    int
);
CREATE INDEX SkRefParam_RefAg ON SkRefParam (RefAg);
CREATE INDEX SkRefParam_RefParam ON SkRefParam (RefParam);

CREATE TABLE SKRefParamList (
    ID           INTEGER PRIMARY KEY AUTOINCREMENT,
    RefAg        int NOT NULL,
    RefParam     int NOT NULL,
    RefParamList int NOT NULL,
    Sel          bit NOT NULL CHECK (Sel = 1),
    OrderFld     int
);
CREATE INDEX SKRefParamList_RefAg ON SKRefParamList (RefAg);

CREATE TABLE SKzNC (
    ID       INTEGER PRIMARY KEY AUTOINCREMENT,
    RefAg    int NOT NULL,
    RefAD    int,
    Firma    varchar(255),
    ObjKod   varchar(64),
    ObjNazev varchar(90),
    DefDod   bit NOT NULL CHECK (DefDod = 0 OR DefDod = 1),
    OrderFld int
);
CREATE INDEX SKzNC_RefAg ON SKzNC (RefAg);
CREATE INDEX SKzNC_RefAD ON SKzNC (RefAD);

-- Of the address book only what suppliers are named by.
CREATE TABLE AD (
    ID    INTEGER PRIMARY KEY AUTOINCREMENT,
    Firma varchar(255)
);
CREATE INDEX AD_Firma ON AD (Firma);

-- Received orders only; names and addresses are not read.
CREATE TABLE OBJ (
    ID       INTEGER PRIMARY KEY AUTOINCREMENT,
    RelTpObj int NOT NULL CHECK (RelTpObj = 1),
    Cislo    varchar(32),
    PDoklad  varchar(32) COLLATE NOCASE,
    Datum    datetime,
    Vyrizeno bit NOT NULL CHECK (Vyrizeno = 0 OR Vyrizeno = 1),
    BDodano  bit NOT NULL CHECK (BDodano = 0 OR BDodano = 1),
    DatStorn datetime,
    Otisk    blob NOT NULL,
    Hromadne int NOT NULL CHECK (Hromadne = 0 OR Hromadne = 1),
    RowVer   int NOT NULL
);
CREATE INDEX OBJ_Otisk ON OBJ (Otisk);
CREATE INDEX OBJ_PDoklad ON OBJ (PDoklad);
CREATE UNIQUE INDEX OBJ_RowVer ON OBJ (RowVer);

CREATE TABLE OBJpol (
    ID       INTEGER PRIMARY KEY AUTOINCREMENT,
    RefAg    int NOT NULL,
    RefSKz   int,
    Kod      varchar(64),
    Mnozstvi float,
    Dodano   float,
    OrderFld int
);
CREATE INDEX OBJpol_RefAg ON OBJpol (RefAg);

ALTER TABLE SKz ADD COLUMN OtiskDod blob;
CREATE INDEX SKz_OtiskDod ON SKz (OtiskDod) WHERE OtiskDod IS NOT NULL;
CREATE INDEX SKz_RefAD ON SKz (RefAD);

-- How many items of each list a document had, and which elements its cards tell (`pictures categories ...`).
ALTER TABLE document ADD COLUMN categories INTEGER NOT NULL DEFAULT 0;
ALTER TABLE document ADD COLUMN parameters INTEGER NOT NULL DEFAULT 0;
ALTER TABLE document ADD COLUMN suppliers INTEGER NOT NULL DEFAULT 0;
ALTER TABLE document ADD COLUMN orders INTEGER NOT NULL DEFAULT 0;
ALTER TABLE document ADD COLUMN tells TEXT NOT NULL DEFAULT '';

-- What was taken in so far knew less of each item: no item is known any more, the document under way begins anew, and
-- the same content again is news. An empty digest is one that no item has.
UPDATE SKz SET Otisk = x'';
DELETE FROM document WHERE outcome = 'under way';
UPDATE document SET sha = 'before-0002:' || sha;
