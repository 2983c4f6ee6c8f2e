import { addressesOf } from '../../domain/container/addresses.ts'
import type { Container } from '../../domain/container/types.ts'
import { Conflict, Forbidden, InvalidInput, NotFound } from '../../domain/errors.ts'
import { SERVICE_DRIVER } from '../../domain/image/drivers.ts'
import { parseImageReference } from '../../domain/image/reference.ts'
import { hostLane } from '../../domain/operation/types.ts'
import { noHostReason } from '../../domain/scheduling/choose.ts'
import { diskOn } from '../../domain/scheduling/disk.ts'
import type { Tx } from '../../orchestration/ports/store.ts'
import type { ContainerSpec } from '../../orchestration/ports/wire.ts'
import { accept } from '../accept.ts'
import { ownScope, type RequestContext } from '../context.ts'
import { bad, type Body } from '../fields.ts'
import { NOTHING_TO_NOTE, type Note } from '../once.ts'
import { askCandidates } from '../hosts/ask-candidates.ts'
import { chooseHost } from '../hosts/choose-host.ts'
import type { VolumePlan } from '../ports/volume-planner.ts'
import { accessOf } from '../registries/access.ts'
import { findRegistry, registryNotFound } from '../registries/find.ts'
import { parseCreate, type CreateInput } from './create-input.ts'
import type { ContainerDeps } from './deps.ts'
import { generatedName } from './generated-name.ts'
import { bindMounts, volumesOf } from './plan-mounts.ts'
import { askerOf, planNetworks } from './networks-of-request.ts'
import { requireQuota } from './quota.ts'

/**
 * Accepts a create: everything is checked before anything is written, and what is written (container, ports, volumes,
 * host, quota, operation) is one transaction.
 */
export async function createContainer(
  deps: ContainerDeps,
  ctx: RequestContext,
  body: Body,
  run: boolean,
  note: Note = NOTHING_TO_NOTE,
): Promise<Container> {
  const { policy, options, store, networks } = deps
  const input = parseCreate(body, ctx.minor, options.limits)
  policy.authorize('container:create', ctx)
  const { projectId } = ctx.caller
  if (projectId === null) throw new Forbidden('A container belongs to a project; the token is not scoped to one.')
  if (input.privileged !== undefined) policy.authorize('container:create:privileged', ctx)
  if (input.runtime !== null) policy.authorize('container:create:runtime', ctx)
  if (input.imagePullPolicy !== null) policy.authorize('container:create:image_pull_policy', ctx)
  if (input.host !== null) policy.authorize('container:create:requested_destination', ctx)
  // An admin's container, too, is made with a registry of its own project: nobody else's password is used for it.
  const registry = input.registry === null ? null : await findRegistry(store.registries, ownScope(ctx), input.registry)
  const spec = toSpec(
    input,
    registry?.uuid ?? null,
    options.defaults,
    await networks.securityGroups(askerOf(ctx, projectId), input.securityGroups),
    imageDriverOf(input, options),
  )
  if (spec.cpuPolicy === 'dedicated' && (!Number.isInteger(spec.cpu) || spec.cpu < 1)) {
    throw bad('cpu', spec.cpu, 'With cpu_policy dedicated it must be a whole number of cores')
  }
  if (input.host !== null && (await store.hosts.byName(input.host)) === undefined) {
    throw new NotFound(`Compute host ${input.host} could not be found.`, 'requested-host-not-found')
  }
  const planned = await planNetworks(deps, ctx, projectId, {
    nets: input.nets,
    securityGroups: spec.securityGroups,
    openPorts: spec.exposedPorts,
  })
  const imageId = await requireImage(deps, ctx, spec, projectId)
  const offered = await askCandidates(deps, ctx, spec, input.host)
  // Last: it may make some.
  const volumes = await deps.volumes.plan(ctx, volumesOf(input.mounts))

  const container = await orGiveUp(volumes, () =>
    store.write(async (tx) => {
      const uuid = deps.newUuid()
      // Before anything is refused that the first of two was not refused for.
      await note(tx, uuid)
      if (registry !== null && (await tx.registries.byUuid(registry.uuid, { kind: 'all' })) === undefined) {
        throw registryNotFound(input.registry ?? '')
      }
      const name = input.name ?? generatedName()
      await requireFreeName(tx, deps, projectId, name, null)
      const tied = await volumes.host(tx)
      if (tied !== null && input.host !== null && input.host !== tied) {
        throw new Conflict("The volumes in 'mounts' are on another host than the one asked for.")
      }
      const choice = await chooseHost(
        tx,
        {
          uuid,
          resources: spec,
          cpuPolicy: spec.cpuPolicy,
          runtime: input.runtime,
          availabilityZone: input.availabilityZone,
          hints: input.hints,
          host: input.host ?? tied,
          ...offered,
        },
        options,
      )
      // What the host gives by default counts too.
      const diskGiB = choice.kind === 'host' ? diskOn(choice.host.has, spec.diskGiB) : spec.diskGiB
      const asked = { containers: 1, cpu: spec.cpu, memory: spec.memoryMiB, disk: diskGiB }
      await requireQuota(tx, projectId, asked, options.quota)
      const placed = choice.kind === 'host'
      // Without a host nothing is made for it: the record only says why.
      const bindings = placed
        ? [
            ...bindMounts(
              input.mounts,
              await volumes.volumes(tx, { host: choice.host.name, holder: uuid, userId: ctx.caller.userId }),
              deps.newUuid,
            ),
            ...(await planned.bindings(tx, { containerUuid: uuid, firstOrder: 0 })),
          ]
        : []
      const row = await tx.containers.insert({
        uuid,
        kind: 0,
        projectId,
        userId: ctx.caller.userId,
        name,
        spec: { ...spec, imageId, diskGiB },
        desired: run ? 'running' : 'created',
        host: placed ? choice.host.name : null,
        allocation: placed ? choice.allocation : null,
        status: placed ? 'Creating' : 'Error',
        statusReason: placed ? null : noHostReason(choice.removed),
        addresses: addressesOf(bindings),
      })
      if (!placed) return row
      for (const binding of bindings) await tx.bindings.insert(uuid, binding)
      await accept(tx, {
        container: row,
        verb: 'create',
        params: {
          run,
          placement: {
            availabilityZone: input.availabilityZone ?? options.defaults.scheduleZone,
            hints: labelHints(input.hints),
            host: input.host,
            pciRequests: [],
            refusals: [],
          },
        },
        requestId: ctx.requestId,
        userId: ctx.caller.userId,
      })
      return (await tx.containers.byUuid(uuid, { kind: 'all' })) ?? row
    }),
  )
  if (container.host === null) await volumes.giveUp()
  else deps.doorbell.ring(hostLane(container.host))
  return container
}

/** What was made for a request goes when it is refused. */
export async function orGiveUp<T>(volumes: VolumePlan, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await volumes.giveUp()
    throw error
  }
}

/** Those that a filter reads; what others mean by theirs is not kept. */
function labelHints(hints: Readonly<Record<string, unknown>>): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(hints)) {
    if (name.startsWith('label:') && typeof value === 'string') kept[name] = value
  }
  return kept
}

function toSpec(
  input: CreateInput,
  registryUuid: string | null,
  defaults: ContainerDeps['options']['defaults'],
  securityGroups: string[],
  imageDriver: string,
): ContainerSpec {
  return {
    image: input.image,
    imageDriver,
    imagePullPolicy: input.imagePullPolicy,
    registryUuid,
    command: input.command,
    entrypoint: input.entrypoint,
    cpu: input.cpu ?? defaults.cpu,
    cpuPolicy: input.cpuPolicy,
    memoryMiB: input.memoryMiB ?? defaults.memoryMiB,
    diskGiB: input.diskGiB ?? 0,
    environment: input.environment,
    labels: input.labels,
    workdir: input.workdir,
    hostname: input.hostname,
    exposedPorts: input.exposedPorts,
    restartPolicy: input.restartPolicy,
    healthcheck: input.healthcheck,
    interactive: input.interactive,
    tty: input.tty,
    autoRemove: input.autoRemove,
    autoHeal: input.autoHeal,
    privileged: input.privileged ?? false,
    runtime: input.runtime,
    securityGroups,
  }
}

function imageDriverOf(
  input: { imageDriver: string | null },
  { imageDrivers: available, defaults }: ContainerDeps['options'],
): string {
  const driver = input.imageDriver ?? defaults.imageDriver
  if (available.includes(driver)) return driver
  throw bad('image_driver', driver, `It is not one of ${available.join(', ')}`)
}

/** Id of the image that an image service has by this name now; null: its driver looks for the name each time. */
export async function requireImage(
  deps: Pick<ContainerDeps, 'images' | 'imageService' | 'secrets' | 'store'>,
  ctx: RequestContext,
  spec: Pick<ContainerSpec, 'image' | 'imageDriver' | 'imagePullPolicy' | 'registryUuid'>,
  projectId: string,
): Promise<string | null> {
  if (deps.imageService !== undefined && spec.imageDriver === SERVICE_DRIVER) {
    return (await deps.imageService.resolve(spec.image, ctx)).id
  }
  if (parseImageReference(spec.image) === undefined) {
    throw new InvalidInput(`'${spec.image}' is not an image reference of the form [registry/]name[:tag][@digest].`)
  }
  const { secrets, store } = deps
  const { domain, auth } = await accessOf({ secrets, registries: store.registries }, spec.registryUuid)
  const found = await deps.images.check({ spec, projectId, registryDomain: domain, auth }, null, {
    signal: ctx.signal,
  })
  if (found === 'absent') {
    throw new InvalidInput(
      `Image ${spec.image} could not be found${spec.imagePullPolicy === 'never' ? ' on the host, and the pull policy is never' : ''}.`,
      'image-not-found',
    )
  }
  if (found === 'denied') {
    throw new InvalidInput(`Image ${spec.image} could not be found, or access to it was refused.`, 'image-not-found')
  }
  return null
}

/** [compute] unique_container_name_scope */
export async function requireFreeName(
  tx: Tx,
  deps: Pick<ContainerDeps, 'options'>,
  projectId: string,
  name: string,
  exceptUuid: string | null,
): Promise<void> {
  const scope = deps.options.uniqueContainerNameScope
  if (scope === '') return
  if (await tx.containers.nameTaken(name, scope === 'project' ? projectId : null, exceptUuid)) {
    throw new Conflict(`A container with name ${name} already exists.`, 'container-already-exists')
  }
}
