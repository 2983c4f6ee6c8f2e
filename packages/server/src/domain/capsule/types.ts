/** A capsule: containers that share one network namespace (capsules 2 and 7). */
import type { Container } from '../container/types.ts'
import type { PullPolicy, RestartPolicy } from '@zund/contract/link/container.ts'

/** What a checked template asks for. Nothing in it is optional by accident. */
export interface CapsuleTemplate {
  readonly name: string | null
  readonly labels: Readonly<Record<string, string>> | null
  /** Free JSON of the user, stored and shown as it came. */
  readonly annotations: Readonly<Record<string, unknown>> | null
  readonly availabilityZone: string | null
  readonly restartPolicy: RestartPolicy
  readonly initContainers: readonly MemberTemplate[]
  readonly containers: readonly MemberTemplate[]
  readonly volumes: readonly VolumeTemplate[]
}

/** One container of a template. null: not given. */
export interface MemberTemplate {
  readonly image: string
  /** `command` and `args` of the template together; it becomes the arguments, not the entrypoint. */
  readonly command: readonly string[] | null
  readonly cpu: number | null
  readonly memoryMiB: number | null
  readonly environment: Readonly<Record<string, string>>
  readonly workdir: string | null
  readonly imagePullPolicy: PullPolicy | null
  readonly interactive: boolean
  readonly tty: boolean
  /** `80/tcp`, `53/udp` … */
  readonly exposedPorts: readonly string[]
  /** Only those that name a volume of the template. */
  readonly volumeMounts: readonly { readonly volume: string; readonly mountPath: string }[]
}

export interface VolumeTemplate {
  readonly name: string
  readonly source:
    | { readonly kind: 'existing'; readonly volumeId: string }
    /** `autoRemove`: it goes with the capsule. */
    | { readonly kind: 'new'; readonly sizeGiB: number; readonly autoRemove: boolean }
}

/** A capsule's own record (kind 1) and those of its containers, in the order of the template. */
export interface Capsule {
  readonly record: Container
  readonly annotations: Readonly<Record<string, unknown>> | null
  /** Kind 3. */
  readonly initMembers: readonly Container[]
  /** Kind 2. */
  readonly members: readonly Container[]
}
