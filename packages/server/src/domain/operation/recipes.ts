import type { OperationParams, Verb } from '@zund/contract/link/messages.ts'
import { SystemFault } from '../errors.ts'

/** Step names are stored with operations: never rename one, only retire it. */
export const STEP_NAMES = [
  'attachVolumes',
  'obtainImage',
  'prepareNetworks',
  'createContainer',
  'connectNetworks',
  'startContainer',
  'stopContainer',
  'restartContainer',
  'pauseContainer',
  'unpauseContainer',
  'killContainer',
  'removeOldContainer',
  'removeContainer',
  'disconnectNetworks',
  'releaseNetworks',
  'detachVolumes',
  'commitContainer',
  'uploadSnapshot',
  'updateContainer',
  'attachCapsuleVolumes',
  'obtainMemberImages',
  'runInitMembers',
  'startMembers',
  'rejoinMembers',
  'removeMembers',
  'detachCapsuleVolumes',
  'bindPorts',
  'changeSecurityGroup',
  'claimResources',
  'releaseResources',
] as const
export type StepName = (typeof STEP_NAMES)[number]

export interface Holdings {
  readonly ports: number
  /** Of these, those of another network service: they must be had from there first. */
  readonly remotePorts?: number
  /** Of a capsule: those of its members. */
  readonly mounts: number
  /** How many of a capsule run first; absent: it is no capsule. */
  readonly initMembers?: number
  /** A cloud counts what it holds of its host, too. */
  readonly isCounted?: boolean
}

/**
 * The steps of an operation, in order. Computed once when it is accepted and stored with it, so that an operation keeps
 * its meaning when the program is upgraded under it. A step that would have nothing to do is left out.
 */
export function recipeFor(verb: Verb, params: OperationParams, holds: Holdings): StepName[] {
  if (holds.initMembers !== undefined) return capsuleRecipe(verb, { ...holds, initMembers: holds.initMembers })
  const volumes: StepName[] = holds.mounts > 0 ? ['attachVolumes'] : []
  const start: StepName[] = params.run === true ? ['startContainer'] : []
  const more: StepName[] = holds.ports > 1 ? ['connectNetworks'] : []
  const bind: StepName[] = (holds.remotePorts ?? 0) > 0 ? ['bindPorts'] : []
  const networks: StepName[] = holds.ports > 0 ? [...bind, 'prepareNetworks'] : []
  const claim = claimFor(holds)
  switch (verb) {
    case 'create':
      return [...claim, ...volumes, 'obtainImage', ...networks, 'createContainer', ...more, ...start]
    case 'start':
      return [...volumes, 'startContainer']
    case 'stop':
      return ['stopContainer']
    case 'reboot':
      return [...volumes, 'restartContainer']
    case 'pause':
      return ['pauseContainer']
    case 'unpause':
      return ['unpauseContainer']
    case 'kill':
      return ['killContainer']
    case 'rebuild':
      return [
        ...claim,
        'obtainImage',
        'removeOldContainer',
        ...volumes,
        ...networks,
        'createContainer',
        ...more,
        ...start,
      ]
    case 'delete':
      return [
        ...(params.stopFirst === true ? (['stopContainer'] as const) : []),
        'removeContainer',
        ...(holds.ports > 0 ? (['releaseNetworks'] as const) : []),
        ...(holds.mounts > 0 ? (['detachVolumes'] as const) : []),
        ...releaseFor(holds),
      ]
    case 'commit':
      return params.uploadImage === true ? ['commitContainer', 'uploadSnapshot'] : ['commitContainer']
    case 'resize':
      return [...claim, 'updateContainer']
    case 'network_attach':
      return [...bind, 'prepareNetworks', 'connectNetworks']
    case 'network_detach':
      return ['disconnectNetworks']
    case 'add_security_group':
    case 'remove_security_group':
      return ['changeSecurityGroup']
    default:
      return verb satisfies never
  }
}

/** First of all: a host without room must not have begun anything. */
function claimFor({ isCounted }: Holdings): StepName[] {
  return isCounted === true ? ['claimResources'] : []
}

/** Last of all: what is there takes its room. */
function releaseFor({ isCounted }: Holdings): StepName[] {
  return isCounted === true ? ['releaseResources'] : []
}

/** `start` is the system's own: it brings members back into the namespaces of a sandbox that was started anew. */
function capsuleRecipe(verb: Verb, holds: Holdings & { readonly initMembers: number }): StepName[] {
  const volumes: StepName[] = holds.mounts > 0 ? ['attachCapsuleVolumes'] : []
  switch (verb) {
    case 'create':
      return [
        ...claimFor(holds),
        ...volumes,
        'obtainImage',
        'obtainMemberImages',
        ...((holds.remotePorts ?? 0) > 0 ? (['bindPorts'] as const) : []),
        'prepareNetworks',
        'createContainer',
        'startContainer',
        ...(holds.initMembers > 0 ? (['runInitMembers'] as const) : []),
        'startMembers',
      ]
    case 'start':
      return [...volumes, 'startContainer', 'rejoinMembers']
    case 'delete':
      return [
        'removeMembers',
        'removeContainer',
        'releaseNetworks',
        ...(holds.mounts > 0 ? (['detachCapsuleVolumes'] as const) : []),
        ...releaseFor(holds),
      ]
    default:
      throw new SystemFault('recipe.not_for_capsules', `there is no ${verb} of a capsule`)
  }
}

/** Label of the public API (`task_state`) while a step of the verb runs; null: none is shown. */
export function taskStateOf(verb: Verb, step: string): string | null {
  if (verb === 'create') return CREATE_TASK_STATES[step] ?? 'container_creating'
  return VERB_TASK_STATES[verb]
}

const CREATE_TASK_STATES: Readonly<Record<string, string>> = {
  obtainImage: 'image_pulling',
  startContainer: 'container_starting',
}

const VERB_TASK_STATES: Readonly<Record<Exclude<Verb, 'create'>, string | null>> = {
  start: 'container_starting',
  stop: 'container_stopping',
  reboot: 'container_rebooting',
  pause: 'container_pausing',
  unpause: 'container_unpausing',
  kill: 'container_killing',
  rebuild: 'container_rebuilding',
  delete: 'container_deleting',
  commit: null,
  resize: null,
  network_attach: 'network_attaching',
  network_detach: 'network_detaching',
  add_security_group: 'sg_adding',
  remove_security_group: 'sg_removing',
}
