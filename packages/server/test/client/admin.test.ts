import assert from 'node:assert/strict'
import { it } from 'node:test'
import { adminTests } from './admin.ts'
import { clientTests } from './stage.ts'

const HOST = 'compute-7.rack-2'

clientTests(
  'admin',
  (stage) => {
    adminTests(stage, HOST)

    it('the name that is configured need not be what the engine calls its machine', async () => {
      const { Name } = await stage.zund.engine.api<{ Name: string }>('GET', '/info')
      assert.notEqual(Name, HOST)
    })
  },
  async () => ({ conf: `[DEFAULT]\nhost = ${HOST}\n` }),
)
