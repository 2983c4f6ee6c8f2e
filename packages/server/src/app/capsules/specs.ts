/** What a template means for each of the containers that a capsule is made of. */
import { initRestartPolicy, sizeOf } from '../../domain/capsule/capsule.ts'
import { BUILT_IN_SANDBOX_IMAGE } from '../../domain/capsule/sandbox.ts'
import { REGISTRY_DRIVER } from '../../domain/image/drivers.ts'
import type { CapsuleTemplate, MemberTemplate } from '../../domain/capsule/types.ts'
import type { ContainerSpec } from '../../orchestration/ports/wire.ts'
import type { SandboxOptions } from '../options.ts'

const PLAIN = {
  registryUuid: null,
  command: null,
  entrypoint: null,
  cpuPolicy: 'shared',
  diskGiB: 0,
  environment: {},
  labels: {},
  workdir: null,
  hostname: null,
  healthcheck: null,
  interactive: false,
  tty: false,
  autoRemove: false,
  autoHeal: false,
  privileged: false,
  runtime: null,
  securityGroups: [],
} as const

/** Of the capsule itself: the sandbox, with the size of the whole for whoever counts what hosts have to bear. */
export function capsuleSpec(template: CapsuleTemplate, sandbox: SandboxOptions): ContainerSpec {
  const members = [...template.initContainers, ...template.containers]
  return {
    ...PLAIN,
    ...sizeOf(template),
    environment: {},
    securityGroups: [],
    image: sandbox.image ?? BUILT_IN_SANDBOX_IMAGE,
    // The built-in one is made by each host for the engine.
    imageDriver: sandbox.image === null ? REGISTRY_DRIVER : sandbox.imageDriver,
    imagePullPolicy: sandbox.pullPolicy,
    labels: { ...template.labels },
    restartPolicy: template.restartPolicy,
    // Members have no ports of their own: the network is the sandbox's.
    exposedPorts: [...new Set(members.flatMap(({ exposedPorts }) => exposedPorts))],
  }
}

export interface MemberOptions {
  readonly isInit: boolean
  readonly mayChoosePull: boolean
  readonly imageDriver: string
}

export function memberSpec(
  member: MemberTemplate,
  { restartPolicy }: CapsuleTemplate,
  { isInit, mayChoosePull, imageDriver }: MemberOptions,
): ContainerSpec {
  return {
    ...PLAIN,
    labels: {},
    securityGroups: [],
    image: member.image,
    imageDriver,
    // Who may not choose is not refused, it is chosen for him (capsules 2.4).
    imagePullPolicy: (mayChoosePull ? member.imagePullPolicy : null) ?? 'always',
    command: member.command === null ? null : [...member.command],
    cpu: member.cpu ?? 0,
    memoryMiB: member.memoryMiB ?? 0,
    environment: { ...member.environment },
    workdir: member.workdir,
    exposedPorts: [...member.exposedPorts],
    restartPolicy: isInit ? initRestartPolicy(restartPolicy) : restartPolicy,
    interactive: member.interactive,
    tty: member.tty,
  }
}
