/**
 * Version of the data that all Durable Objects of this source store. Raised with each new migration: a release reads no data of a later
 * version.
 */
export const DATA_VERSION = 1;
