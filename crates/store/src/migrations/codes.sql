-- How many codes of a second factor were wrong in a row, and when the last of them was: kept here, so that restarts and replicas forget none.
ALTER TABLE second_factors ADD COLUMN wrong_codes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE second_factors ADD COLUMN wrong_code_at BIGINT;

-- Crates of an owner in the order in which pages go on.
CREATE INDEX owners_by_login_and_crate ON owners (folded, crate_id);
DROP INDEX owners_by_login;
