import type { CapsuleTemplate, MemberTemplate } from '../../src/domain/capsule/types.ts'

/** Values with defaults, for tests that care about one field of many. */
export function aMember(patch: Partial<MemberTemplate> = {}): MemberTemplate {
  return {
    image: 'busybox',
    command: null,
    cpu: null,
    memoryMiB: null,
    environment: {},
    workdir: null,
    imagePullPolicy: null,
    interactive: false,
    tty: false,
    exposedPorts: [],
    volumeMounts: [],
    ...patch,
  }
}

export function aTemplate(patch: Partial<CapsuleTemplate> = {}): CapsuleTemplate {
  return {
    name: 'web',
    labels: null,
    annotations: null,
    availabilityZone: null,
    restartPolicy: { name: 'always', maximumRetryCount: 0 },
    initContainers: [],
    containers: [aMember()],
    volumes: [],
    ...patch,
  }
}
