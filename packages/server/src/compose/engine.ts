/** The container engine of this machine. */
import { DockerArchives } from '../adapters/docker/docker-archives.ts'
import { DockerEngine } from '../adapters/docker/docker-engine.ts'
import { DockerStreams } from '../adapters/docker/docker-streams.ts'
import { messageOf } from '../domain/errors.ts'
import type { ContainerEngine } from '../orchestration/ports/engine.ts'
import { ConfigError } from './config/config-error.ts'
import type { Config } from './config/options.ts'
import { PING_TIMEOUT_MS } from './host.ts'

const PULL_STALL_MS = 120_000
/** For an image that the engine has been given whole. */
const UNPACK_TIMEOUT_MS = 900_000

/** `deployment`: the mark of what is this service's among the engine's objects. To be closed. */
export function composeEngine(config: Config, deployment: string): DockerEngine {
  return new DockerEngine({
    socketPath: socketPath(config),
    callTimeoutMs: config.dockerTimeout * 1000,
    pullStallMs: PULL_STALL_MS,
    deployment,
    memorySwapMiB: config.defaultMemorySwap,
    hardening: {
      pidsLimit: config.pidsLimit,
      logMaxSize: config.logMaxSize,
      logMaxFiles: config.logMaxFiles,
      defaultRuntime: config.containerRuntime,
    },
  })
}

/** To be closed. */
export function composeEngineStreams(config: Config): DockerStreams {
  return new DockerStreams({ socketPath: socketPath(config), callTimeoutMs: config.dockerTimeout * 1000 })
}

/** To be closed. */
export function composeEngineArchives(config: Config): DockerArchives {
  return new DockerArchives({
    socketPath: socketPath(config),
    callTimeoutMs: config.dockerTimeout * 1000,
    unpackTimeoutMs: UNPACK_TIMEOUT_MS,
  })
}

/** ConfigError when it does not answer. */
export async function requireEngine(engine: ContainerEngine, config: Config): Promise<void> {
  try {
    await engine.ping({ signal: AbortSignal.timeout(PING_TIMEOUT_MS) })
  } catch (error) {
    throw new ConfigError(`no usable container engine at ${config.dockerApiUrl}: ${messageOf(error)}`)
  }
}

function socketPath(config: Config): string {
  return config.dockerApiUrl.slice('unix://'.length)
}
