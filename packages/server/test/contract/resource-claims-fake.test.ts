import { randomUUID } from 'node:crypto'
import { FakeClaims } from '../../src/adapters/fake/fake-claims.ts'
import { resourceClaimsSuite } from './resource-claims.suite.ts'

resourceClaimsSuite('the fake', async () => {
  const claims = new FakeClaims()
  return {
    claims,
    provider: async () => {
      const uuid = randomUUID()
      claims.capacity.set(uuid, { cpu: 8, memoryMiB: 4096, diskGiB: 100 })
      return uuid
    },
  }
})
