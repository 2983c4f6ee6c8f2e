import { SimArchives } from '../../src/adapters/fake/sim-archives.ts'
import { SimEngine } from '../../src/adapters/fake/sim-engine.ts'
import { systemClock } from '../../src/lib/system-clock.ts'
import type { EngineHarness } from '../support/engine-harness.ts'
import { engineSuite } from './engine.suite.ts'

async function open(): Promise<EngineHarness> {
  const engine = new SimEngine({ clock: systemClock, hostHas: (path) => path !== '/no/such/path' })
  engine.images.add('busybox:latest', { command: ['sh'] })
  engine.images.publish('registry.test/open:1')
  engine.images.publish('registry.test/locked:1', { auth: { username: 'ann', password: 'secret' } })
  engine.images.breakRegistry('away.test')
  const hanging = new SimEngine({ clock: systemClock, callTimeoutMs: 200 })
  hanging.calls.faults.add({ call: '*', times: Number.POSITIVE_INFINITY, trouble: { kind: 'hang' } })
  let subnets = 0
  return {
    engine,
    archives: new SimArchives(engine.images, engine.calls),
    hanging,
    hangingArchives: new SimArchives(hanging.images, hanging.calls),
    image: 'busybox:latest',
    hostPath: '/srv/data',
    registry: {
      open: 'registry.test/open:1',
      missing: 'registry.test/missing:1',
      locked: 'registry.test/locked:1',
      credentials: { serverAddress: 'registry.test', username: 'ann', password: 'secret' },
      unreachable: 'away.test/open:1',
    },
    subnet(version) {
      subnets += 1
      const prefix = version === 4 ? `10.9.${subnets}.` : `fd00:9:${subnets}::`
      return {
        cidr: version === 4 ? `${prefix}0/24` : `${prefix}/64`,
        gateway: `${prefix}1`,
        address: (n) => `${prefix}${n}`,
      }
    },
    close: async () => undefined,
  }
}

engineSuite('SimEngine', open)
