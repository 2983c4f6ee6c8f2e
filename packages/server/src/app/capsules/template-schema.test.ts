/** The description of a template allows whatever its parser takes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { USUAL_OPTIONS } from '@zund/contract/api/limits.ts'
import { templateSchema } from '@zund/contract/api/requests/capsule-template.ts'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { InvalidInput } from '../../domain/errors.ts'
import { parseTemplate } from './parse-template.ts'

const { limits } = USUAL_OPTIONS
const isAllowed = new Ajv2020({ strict: false }).compile(templateSchema(limits, 40))

const MEMBER = {
  image: 'nginx',
  name: 'web',
  command: ['sh', null],
  args: ['-c', 'true'],
  resources: { requests: { cpu: '0.5', memory: 64 } },
  ports: [{ name: 'http', containerPort: '80', hostPort: 8080, protocol: 'TCP' }],
  volumeMounts: [{ name: 'data', mountPath: '/data', readOnly: 'True' }],
  env: { A: 'b' },
  workDir: '/srv',
  imagePullPolicy: 'IfNotPresent',
  stdin: 'true',
  tty: false,
}

const FULL = {
  kind: 'capsule',
  capsuleVersion: 'Beta',
  restartPolicy: 'Never',
  availabilityZone: 'nova',
  metadata: { name: 'pod', labels: { a: 'b', c: 1, d: true }, annotations: { a: [1] }, other: 1 },
  spec: {
    restartPolicy: 'OnFailure',
    containers: [MEMBER],
    initContainers: [{ ...MEMBER, other: 1 }],
    volumes: [{ name: 'data', cinder: { size: 1, autoRemove: true } }],
    other: {},
  },
}

const ODD: readonly unknown[] = [undefined, null, '', 'x', '0', 0, 1, -1, 1.5, 99_999, true, [], ['x'], {}, { x: 'y' }]

/** Every template that differs from this one in a single place. */
function* variants(value: unknown): Generator {
  yield* ODD
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) for (const other of variants(item)) yield value.with(i, other)
  } else if (typeof value === 'object' && value !== null) {
    yield { ...value, unheardOf: 1 }
    for (const [name, item] of Object.entries(value)) {
      for (const other of variants(item)) yield { ...value, [name]: other }
    }
  }
}

function isTaken(template: unknown): boolean {
  try {
    parseTemplate({ template }, limits)
    return true
  } catch (error) {
    assert.ok(error instanceof InvalidInput, String(error))
    return false
  }
}

test('what the parser takes is allowed, and a template with everything is', () => {
  assert.ok(isAllowed(FULL), JSON.stringify(isAllowed.errors))
  let taken = 0
  for (const variant of variants(FULL)) {
    // As it comes over the wire, where nothing is undefined.
    const template: unknown = variant === undefined ? undefined : JSON.parse(JSON.stringify(variant))
    if (typeof template === 'string' || !isTaken(template)) continue
    taken += 1
    assert.ok(isAllowed(template), `${JSON.stringify(template)}: ${JSON.stringify(isAllowed.errors)}`)
  }
  assert.ok(taken > 100, `only ${taken} were taken`)
})

test('what is missing or unheard of is neither taken nor allowed', () => {
  const { kind: _, ...withoutKind } = FULL
  const container = { ...MEMBER, limits: {} }
  for (const template of [
    withoutKind,
    { ...FULL, nets: [] },
    { ...FULL, spec: { ...FULL.spec, containers: [container] } },
  ]) {
    assert.equal(isTaken(template), false)
    assert.equal(isAllowed(template), false)
  }
})
