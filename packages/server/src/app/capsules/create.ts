import { addressesOf } from '../../domain/container/addresses.ts'
import { capsuleOf } from '../../domain/capsule/capsule.ts'
import type { Capsule, CapsuleTemplate, MemberTemplate } from '../../domain/capsule/types.ts'
import { Forbidden } from '../../domain/errors.ts'
import { SERVICE_DRIVER } from '../../domain/image/drivers.ts'
import { hostLane } from '../../domain/operation/types.ts'
import { noHostReason } from '../../domain/scheduling/choose.ts'
import type { ContainerSpec } from '../../orchestration/ports/wire.ts'
import { accept } from '../accept.ts'
import type { RequestContext } from '../context.ts'
import { orGiveUp, requireFreeName, requireImage } from '../containers/create.ts'
import type { ContainerDeps } from '../containers/deps.ts'
import { planNetworks } from '../containers/networks-of-request.ts'
import { askCandidates } from '../hosts/ask-candidates.ts'
import { chooseHost } from '../hosts/choose-host.ts'
import { NOTHING_TO_NOTE, type Note } from '../once.ts'
import { memberNames } from './member-names.ts'
import { byName, mountsOf, volumesOf } from './plan-volumes.ts'
import { capsuleSpec, memberSpec } from './specs.ts'

interface PlannedMember {
  readonly kind: 2 | 3
  readonly template: MemberTemplate
  readonly spec: ContainerSpec
}

/**
 * Accepts a capsule: its record, those of its members, port, volumes, host and operation are one transaction. Without a
 * host it is recorded all the same, in Error (capsules 3).
 */
export async function createCapsule(
  deps: ContainerDeps,
  ctx: RequestContext,
  template: CapsuleTemplate,
  note: Note = NOTHING_TO_NOTE,
): Promise<Capsule> {
  const { policy, options, store } = deps
  policy.authorize('capsule:create', ctx)
  const { projectId, userId } = ctx.caller
  if (projectId === null) throw new Forbidden('A capsule belongs to a project; the token is not scoped to one.')
  const asked = plannedMembers(
    template,
    policy.allows('container:create:image_pull_policy', ctx),
    options.defaults.imageDriver,
  )
  const members = await withImages(deps, ctx, asked, projectId)
  const wanted = volumesOf(template.volumes)
  const sandbox = capsuleSpec(template, options.sandbox)
  const spec = { ...sandbox, imageId: await sandboxImage(deps, ctx, sandbox, projectId) }
  const planned = await planNetworks(deps, ctx, projectId, {
    nets: [],
    securityGroups: [],
    openPorts: spec.exposedPorts,
  })

  const offered = await askCandidates(deps, ctx, spec, null)
  // Last: it may make some.
  const volumePlan = await deps.volumes.plan(ctx, wanted)

  const capsule = await orGiveUp(volumePlan, () =>
    store.write(async (tx) => {
      const uuid = deps.newUuid()
      // Before anything is refused that the first of two was not refused for.
      await note(tx, uuid)
      if (template.name !== null) await requireFreeName(tx, deps, projectId, template.name, null)
      const tied = await volumePlan.host(tx)
      const request = { uuid, resources: spec, availabilityZone: template.availabilityZone, host: tied, ...offered }
      const choice = await chooseHost(tx, request, options)
      const placed = choice.kind === 'host'
      const volumes = byName(
        template.volumes,
        placed ? await volumePlan.volumes(tx, { host: choice.host.name, holder: uuid, userId }) : [],
      )
      const ports = placed ? await planned.bindings(tx, { containerUuid: uuid, firstOrder: 0 }) : []
      const common = {
        projectId,
        userId,
        desired: 'running' as const,
        host: placed ? choice.host.name : null,
        status: placed ? ('Creating' as const) : ('Error' as const),
        statusReason: placed ? null : noHostReason(choice.removed),
      }
      const record = await tx.containers.insert({
        ...common,
        uuid,
        kind: 1,
        // For its members too.
        allocation: placed ? choice.allocation : null,
        name: template.name,
        spec,
        addresses: addressesOf(ports),
        annotations: template.annotations,
      })
      for (const port of ports) await tx.bindings.insert(uuid, port)
      const uuids = members.map(() => deps.newUuid())
      const names = memberNames(template.name ?? uuid, uuids)
      for (const [n, member] of members.entries()) {
        const memberUuid = uuids[n] ?? deps.newUuid()
        await tx.containers.insert({
          ...common,
          uuid: memberUuid,
          kind: member.kind,
          allocation: null,
          name: names[n] ?? null,
          spec: member.spec,
          addresses: {},
          capsuleUuid: uuid,
        })
        const mounts = mountsOf(member.template, volumes, deps.newUuid)
        for (const mount of mounts) await tx.bindings.insert(memberUuid, mount)
      }
      if (placed) {
        await accept(tx, { container: record, verb: 'create', params: { run: true }, requestId: ctx.requestId, userId })
      }
      const made = (await tx.containers.byUuid(uuid, { kind: 'all' })) ?? record
      return capsuleOf(made, await tx.containers.membersOf([uuid]))
    }),
  )
  if (capsule.record.host === null) await volumePlan.giveUp()
  else deps.doorbell.ring(hostLane(capsule.record.host))
  return capsule
}

/** Whose image is of an image service is looked for as the caller; others are found by each host. */
async function sandboxImage(
  deps: ContainerDeps,
  ctx: RequestContext,
  spec: ContainerSpec,
  projectId: string,
): Promise<string | null> {
  return spec.imageDriver === SERVICE_DRIVER ? await requireImage(deps, ctx, spec, projectId) : null
}

function plannedMembers(template: CapsuleTemplate, mayChoosePull: boolean, imageDriver: string): PlannedMember[] {
  const planned = (kind: 2 | 3, from: readonly MemberTemplate[]): PlannedMember[] =>
    from.map((member) => ({
      kind,
      template: member,
      spec: memberSpec(member, template, { isInit: kind === 3, mayChoosePull, imageDriver }),
    }))
  return [...planned(3, template.initContainers), ...planned(2, template.containers)]
}

/** Each image is asked for once, however many members run it. */
async function withImages(
  deps: ContainerDeps,
  ctx: RequestContext,
  members: readonly PlannedMember[],
  projectId: string,
): Promise<PlannedMember[]> {
  const distinct = new Map(members.map((member) => [keyOf(member), member.spec]))
  const ids = new Map<string, string | null>()
  for (const [key, spec] of distinct) ids.set(key, await requireImage(deps, ctx, spec, projectId))
  return members.map((member) => ({
    ...member,
    spec: { ...member.spec, imageId: ids.get(keyOf(member)) ?? null },
  }))
}

function keyOf({ spec }: PlannedMember): string {
  return `${spec.imagePullPolicy} ${spec.image}`
}
