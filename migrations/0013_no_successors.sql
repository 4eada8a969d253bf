-- A refresh token's successor follows from the token by a keyed hash, so nothing of it is kept any more. The column goes in a
-- later release; processes of the release before name it.
update refresh_tokens set successor_sealed = null where successor_sealed is not null;
