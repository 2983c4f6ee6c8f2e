/** One row: the id by which engine objects are known to belong to this database and no other. */
export const deployment: readonly string[] = ['CREATE TABLE deployment (id VARCHAR(36) PRIMARY KEY)']
