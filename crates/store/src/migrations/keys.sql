-- Who was last given the means to act as an account: the link that makes or resets its password, or a token of it.
ALTER TABLE users ADD COLUMN keys_given_to TEXT;
