-- What a person has to put right, as a code; NULL: not known, or nobody has to.
ALTER TABLE trouble ADD COLUMN cause TEXT;
