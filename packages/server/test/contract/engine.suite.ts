/**
 * The contract of the port ContainerEngine, for any adapter of it. What it says is what the steps of operations and the
 * use cases rely on; where engines differ (wording, order of output that comes at once) it says nothing.
 */
import { after, afterEach, before, describe } from 'node:test'
import { EngineBench, type EngineHarness } from '../support/engine-harness.ts'
import { archiveTests } from './engine/archives.ts'
import { containerTests } from './engine/containers.ts'
import { eventTests } from './engine/events.ts'
import { failureTests } from './engine/failures.ts'
import { imageTests } from './engine/images.ts'
import { namespaceTests } from './engine/namespaces.ts'
import { networkTests } from './engine/networks.ts'
import { sessionTests } from './engine/sessions.ts'

export function engineSuite(name: string, open: () => Promise<EngineHarness>): void {
  describe(name, () => {
    let bench: EngineBench | undefined
    const get = (): EngineBench => {
      if (bench === undefined) throw new Error('the engine is not open')
      return bench
    }
    before(async () => {
      bench = new EngineBench(await open())
    })
    afterEach(async () => {
      await bench?.clean()
    })
    after(async () => {
      await bench?.h.close()
    })
    containerTests(get)
    sessionTests(get)
    imageTests(get)
    archiveTests(get)
    networkTests(get)
    namespaceTests(get)
    eventTests(get)
    failureTests(get)
  })
}
