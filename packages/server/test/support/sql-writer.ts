/** A process of its own that writes to a database: `sql-writer.ts FILE NAME COUNT`. */
import { SqlDatabase } from '../../src/adapters/sql/database.ts'
import { SqlStore } from '../../src/adapters/sql/sql-store.ts'
import { addContainer } from './store-harness.ts'

const [path = '', name = '', count = ''] = process.argv.slice(2)
const store = new SqlStore(new SqlDatabase(path, { isShared: true }))
const writes = Array.from({ length: Number(count) }, (_, n) => addContainer(store, { name: `${name}-${n}` }))
await Promise.all(writes)
await store.close()
