/** What users ask for, as the routes hand it to the use cases. */
import { randomUUID } from 'node:crypto'
import { createCapsule } from '../../src/app/capsules/create.ts'
import { deleteCapsule } from '../../src/app/capsules/delete.ts'
import type { SimEngine } from '../../src/adapters/fake/sim-engine.ts'
import { act } from '../../src/app/containers/act.ts'
import { commitContainer } from '../../src/app/containers/commit.ts'
import { createContainer } from '../../src/app/containers/create.ts'
import { deleteContainer } from '../../src/app/containers/delete.ts'
import type { ContainerDeps } from '../../src/app/containers/deps.ts'
import { attachNetwork, detachNetwork } from '../../src/app/containers/networks.ts'
import { rebuildContainer } from '../../src/app/containers/rebuild.ts'
import { renameContainer, resizeContainer, updateContainer } from '../../src/app/containers/update.ts'
import { changeSecurityGroup } from '../../src/app/containers/security-groups.ts'
import type { RequestContext } from '../../src/app/context.ts'
import { deleteImage } from '../../src/app/images/delete.ts'
import type { ImageService } from '../../src/app/ports/image-service.ts'
import type { ImageDeps } from '../../src/app/images/deps.ts'
import { pullImage } from '../../src/app/images/pull.ts'
import type { LocalDeps } from '../../src/app/local/deps.ts'
import { createLocalNetwork, deleteLocalNetwork } from '../../src/app/local/networks.ts'
import { createLocalVolume, deleteLocalVolume } from '../../src/app/local/volumes.ts'
import type { CapsuleTemplate } from '../../src/domain/capsule/types.ts'
import type { OperationParams } from '../../src/orchestration/ports/wire.ts'
import { aMember, aTemplate } from '../support/capsule-template.ts'
import { HOST, PROJECT } from './world.ts'

export type Deps = ContainerDeps &
  ImageDeps &
  LocalDeps & {
    /** For what happens without anybody asking for it. */
    readonly sim: SimEngine
    /** Of those who have one. */
    readonly imagesOfCloud: ImageService
  }

/** Sends one request; resolves with its answer. */
export type Request = (deps: Deps, ctx: RequestContext) => Promise<unknown>

export const NAME = 'c1'
export const POD = 'pod1'
/** Of the volume made by the first request of a stage. */
export const VOLUME = '00000000-0000-4000-8000-000000000101'

export function contextOf(requestId: string): RequestContext {
  return {
    requestId,
    publicUrl: null,
    token: '',
    caller: {
      userId: 'alice',
      userName: 'alice',
      userDomainId: 'default',
      userDomainName: 'Default',
      projectId: PROJECT,
      projectName: PROJECT,
      projectDomainId: 'default',
      projectDomainName: 'Default',
      roles: ['admin'],
    },
    isAdmin: true,
    minor: 40,
    signal: new AbortController().signal,
  }
}

export const network =
  (name: string): Request =>
  (deps, ctx) =>
    createLocalNetwork(deps, ctx, { name })
export const noNetwork =
  (name: string): Request =>
  (deps, ctx) =>
    deleteLocalNetwork(deps, ctx, name)
export const volume =
  (name: string): Request =>
  (deps, ctx) =>
    createLocalVolume(deps, ctx, { name, size: 1 })
export const noVolume =
  (name: string): Request =>
  (deps, ctx) =>
    deleteLocalVolume(deps, ctx, name)

/** With one of everything that a container can hold, unless told otherwise. */
export const create = (body: object = {}, run = true): Request => {
  const full = {
    name: NAME,
    image: 'busybox',
    nets: [{ network: 'net-a' }, { network: 'net-b' }],
    mounts: [
      { source: 'vol', destination: '/data' },
      { size: 1, destination: '/scratch' },
      { type: 'bind', source: Buffer.from('hello').toString('base64'), destination: '/etc/motd' },
    ],
    ...body,
  }
  return (deps, ctx) => createContainer(deps, ctx, full, run)
}

type PlainVerb = 'start' | 'stop' | 'reboot' | 'pause' | 'unpause' | 'kill'

export const verb =
  (name: PlainVerb, params: OperationParams = {}): Request =>
  (deps, ctx) =>
    act(deps, ctx, { ident: NAME, rule: `container:${name}`, key: name, verb: name, params })

export const securityGroup =
  (name: 'add_security_group' | 'remove_security_group', group: string): Request =>
  (deps, ctx) =>
    changeSecurityGroup(deps, ctx, NAME, name, group)

export const rebuild =
  (image?: string): Request =>
  (deps, ctx) =>
    rebuildContainer(deps, ctx, NAME, { image, imageDriver: undefined })

export const resize =
  (body: Readonly<Record<string, unknown>>): Request =>
  (deps, ctx) =>
    resizeContainer(deps, ctx, NAME, body)
export const update =
  (body: Readonly<Record<string, unknown>>): Request =>
  (deps, ctx) =>
    updateContainer(deps, ctx, NAME, body)
export const rename =
  (to: string): Request =>
  (deps, ctx) =>
    renameContainer(deps, ctx, NAME, to)
export const commit =
  (repository: string): Request =>
  (deps, ctx) =>
    commitContainer(deps, ctx, NAME, repository, 'v1')

export const commitToService =
  (repository: string): Request =>
  (deps, ctx) =>
    // Sent again it is another record: the first may have been begun and no more.
    commitContainer({ ...deps, imageService: deps.imagesOfCloud, newUuid: randomUUID }, ctx, NAME, repository, 'v1')

export const attach =
  (name: string): Request =>
  (deps, ctx) =>
    attachNetwork(deps, ctx, NAME, { network: name, port: undefined, fixedIp: undefined })
export const detach =
  (name: string): Request =>
  (deps, ctx) =>
    detachNetwork(deps, ctx, NAME, { network: name, port: undefined })

/** With one of everything that a capsule can hold, unless told otherwise. */
export const createPod =
  (patch: Partial<CapsuleTemplate> = {}): Request =>
  (deps, ctx) =>
    createCapsule(
      deps,
      ctx,
      aTemplate({
        name: POD,
        initContainers: [
          aMember({ command: ['sh', '-c', 'sleep 3'], volumeMounts: [{ volume: 'old', mountPath: '/old' }] }),
          aMember({ command: ['sh', '-c', 'echo done'], volumeMounts: [{ volume: 'new', mountPath: '/new' }] }),
        ],
        containers: [
          aMember({
            cpu: 0.5,
            memoryMiB: 64,
            volumeMounts: [
              { volume: 'old', mountPath: '/old' },
              { volume: 'new', mountPath: '/new' },
            ],
          }),
          aMember({ image: 'registry.test/app:1', volumeMounts: [{ volume: 'new', mountPath: '/new' }] }),
        ],
        volumes: [
          { name: 'old', source: { kind: 'existing', volumeId: VOLUME } },
          { name: 'new', source: { kind: 'new', sizeGiB: 1, autoRemove: true } },
        ],
        ...patch,
      }),
    )
/** The engine starts it anew, as its policy says. */
export const sandboxEnds: Request = async ({ store, sim }) => {
  const [pod] = await store.containers.byName(POD, 1, { kind: 'all' })
  sim.exit(pod?.uuid ?? '', 137)
}
export const removePod: Request = (deps, ctx) => deleteCapsule(deps, ctx, POD, { allProjects: false })

export const remove =
  (how: { force?: boolean; stop?: boolean } = {}): Request =>
  (deps, ctx) =>
    deleteContainer(deps, ctx, NAME, { force: how.force ?? false, stop: how.stop ?? false, allProjects: false })

export const pull =
  (repo: string): Request =>
  (deps, ctx) =>
    pullImage(deps, ctx, { repo, host: HOST })
export const noImage =
  (repo: string): Request =>
  async (deps, ctx) => {
    const [found] = (
      await deps.store.images.list({ limit: 10, marker: null, sortKey: 'id', sortDir: 'asc' }, { kind: 'all' })
    ).filter((image) => image.repo.endsWith(repo))
    await deleteImage(deps, ctx, found?.uuid ?? '')
  }
