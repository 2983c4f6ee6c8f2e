/** The contract of the port Store, for any database under it. */
import { afterEach, beforeEach, describe } from 'node:test'
import type { StoreHarness } from '../support/store-harness.ts'
import { advanceTests } from './store/advances.ts'
import { bindingTests } from './store/bindings.ts'
import { capsuleTests } from './store/capsules.ts'
import { containerTests } from './store/containers.ts'
import { historyTests } from './store/history.ts'
import { hostTests } from './store/hosts.ts'
import { leftMountTests } from './store/left-mounts.ts'
import { leftProviderTests } from './store/left-providers.ts'
import { leftoverPortTests } from './store/leftover-ports.ts'
import { operationTests } from './store/operations.ts'
import { pagingTests } from './store/paging.ts'
import { resourceTests } from './store/resources.ts'
import { writeTests } from './store/writes.ts'

export function storeSuite(name: string, open: () => Promise<StoreHarness>): void {
  describe(name, () => {
    let harness: StoreHarness | undefined
    const get = (): StoreHarness => {
      if (harness === undefined) throw new Error('the store is not open')
      return harness
    }
    beforeEach(async () => {
      harness = await open()
    })
    afterEach(async () => {
      await harness?.close()
    })
    writeTests(get)
    containerTests(get)
    capsuleTests(get)
    pagingTests(get)
    operationTests(get)
    advanceTests(get)
    bindingTests(get)
    leftoverPortTests(get)
    leftMountTests(get)
    leftProviderTests(get)
    hostTests(get)
    resourceTests(get)
    historyTests(get)
  })
}
