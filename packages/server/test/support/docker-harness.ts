import { randomUUID } from 'node:crypto'
import { DockerArchives } from '../../src/adapters/docker/docker-archives.ts'
import { DockerEngine, type DockerEngineOptions } from '../../src/adapters/docker/docker-engine.ts'
import { EngineFront } from './engine-front.ts'
import type { EngineHarness } from './engine-harness.ts'
import { startMiniRegistry } from './mini-registry.ts'

/** Socket of the engine that tests may use. */
export function testEngineSocket(): string {
  const path = process.env['ZUND_TEST_ENGINE']
  if (path === undefined || path === '') {
    throw new Error(
      'ZUND_TEST_ENGINE must name the unix socket of a container engine that has the image busybox:latest',
    )
  }
  return path
}

/** One for all engines of this process, as for the lives of one agent. */
export const DEPLOYMENT = randomUUID()

export const HARDENING = { pidsLimit: 100, logMaxSize: '1m', logMaxFiles: 2, defaultRuntime: null }

export function dockerEngine(socketPath: string, patch: Partial<DockerEngineOptions> = {}): DockerEngine {
  return new DockerEngine({
    socketPath,
    callTimeoutMs: 30_000,
    pullStallMs: 30_000,
    hardening: HARDENING,
    deployment: DEPLOYMENT,
    ...patch,
  })
}

export function dockerArchives(socketPath: string): DockerArchives {
  return new DockerArchives({ socketPath, callTimeoutMs: 30_000, unpackTimeoutMs: 60_000 })
}

export async function openDocker(): Promise<EngineHarness> {
  const socketPath = testEngineSocket()
  const engine = dockerEngine(socketPath)
  const front = new EngineFront(socketPath, { hangs: (seen) => seen.version !== null })
  await front.open()
  const hanging = dockerEngine(front.socketPath, { callTimeoutMs: 300, pullStallMs: 300 })
  const archives = dockerArchives(socketPath)
  const hangingArchives = new DockerArchives({
    socketPath: front.socketPath,
    callTimeoutMs: 300,
    unpackTimeoutMs: 300,
  })
  const [open, locked] = await Promise.all([startMiniRegistry(), startMiniRegistry('ann:secret')])
  // Chance keeps apart those who use the same engine at the same time.
  const block = Math.floor(Math.random() * 200)
  let subnets = 0
  return {
    engine,
    archives,
    hanging,
    hangingArchives,
    image: 'busybox:latest',
    hostPath: '/etc',
    registry: {
      open: open.image,
      missing: `${open.domain}/missing:1`,
      locked: locked.image,
      credentials: { serverAddress: locked.domain, username: 'ann', password: 'secret' },
      unreachable: '127.0.0.1:1/box:1',
    },
    subnet(version) {
      subnets += 1
      const prefix = version === 4 ? `10.${block + 20}.${200 + (subnets % 50)}.` : `fd5a:${block}:${subnets}::`
      return {
        cidr: version === 4 ? `${prefix}0/24` : `${prefix}/64`,
        gateway: `${prefix}1`,
        address: (n) => `${prefix}${n}`,
      }
    },
    close: async () => {
      engine.close()
      hanging.close()
      archives.close()
      hangingArchives.close()
      await Promise.all([front.close(), open.close(), locked.close()])
    },
  }
}
