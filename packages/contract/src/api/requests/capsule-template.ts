/**
 * The template of a capsule (capsules 2), described. It is read by a parser of its own, which names the path of what is
 * wrong in it; a test holds the two against each other.
 */
import type { Field, Fields, JsonSchema } from '../../fields/field.ts'
import { required } from '../../fields/field.ts'
import { anyObject, choice, flag, number, object, objects, strings, text } from '../../fields/kinds.ts'
import { describeFields } from '../../fields/read.ts'
import type { Limits } from '../limits.ts'
import { imageName, NAME, pullPolicy, WORKDIR } from './container.ts'

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'] as const
const NOT_NULL = { refusesNull: 'It must not be null' }

export const MOST_MEMBERS = 32
export const MOST_VOLUMES = 32

const name = { min: 2, max: 255, pattern: NAME }
const port = () => number({ min: 0, max: 65_535, integer: true })

function memberFields(limits: Limits): Fields {
  const cpu = { min: limits.minimumCpus, max: limits.maximumCpus, integer: false }
  const memory = { min: limits.minimumMemory, max: limits.maximumMemory, integer: true }
  const requests = object({ cpu: number(cpu, { about: 'Cores.' }), memory: number(memory, { about: 'MiB.' }) })
  return {
    image: required(imageName()),
    name: text(name, { about: 'Without effect: the service makes one.' }),
    command: words('Of the container; its entrypoint stays that of the image.'),
    args: words('Follow the command.'),
    resources: object({ requests: { ...requests, ...NOT_NULL } }, NOT_NULL),
    ports: objects(
      { name: text({ max: 255 }), containerPort: required(port()), hostPort: port(), protocol: choice(['TCP', 'UDP']) },
      { most: 256, ...NOT_NULL },
    ),
    volumeMounts: objects(
      {
        name: required(text(name, { about: 'Of a volume of the template; a mount of another one is ignored.' })),
        mountPath: required(text({ max: 4096 }, { about: 'An absolute path.' })),
        readOnly: flag({ about: 'Without effect.' }),
      },
      { most: 64, ...NOT_NULL },
    ),
    env: anyObject({ about: 'Texts by name.' }),
    workDir: WORKDIR,
    imagePullPolicy: pullPolicy({ about: 'Only for those whom a rule lets choose it.' }),
    stdin: flag(NOT_NULL),
    tty: flag(NOT_NULL),
  }
}

/** A null among them is left out. */
function words(about: string): Field {
  return { ...strings({ ...NOT_NULL, about }), schema: () => ({ type: 'array', items: { type: ['string', 'null'] } }) }
}

const VOLUME: JsonSchema = {
  type: 'object',
  required: ['name', 'cinder'],
  properties: {
    name: text(name).schema(1),
    cinder: {
      description: 'Exactly one of `volumeID` and `size`.',
      ...describeFields(
        {
          volumeID: text({ min: 36, max: 36 }, NOT_NULL),
          size: { ...number({ min: 1, max: 16_384, integer: true }), ...NOT_NULL, schema: gibibytes },
          autoRemove: flag({ ...NOT_NULL, about: 'Delete the volume with the capsule.' }),
        },
        1,
      ),
    },
  },
}

function gibibytes(): JsonSchema {
  return { type: 'integer', minimum: 1, maximum: 16_384, description: 'GiB of a new volume.' }
}

export function templateSchema(limits: Limits, minor: number): JsonSchema {
  const member = describeFields(memberFields(limits), minor)
  return {
    type: 'object',
    required: ['kind', 'spec', 'metadata'],
    properties: {
      kind: { enum: ['capsule', 'Capsule'] },
      capsuleVersion: { enum: ['beta', 'Beta'] },
      metadata: {
        type: 'object',
        properties: {
          name: { ...text(name).schema(minor), type: ['string', 'null'] },
          labels: { type: ['object', 'null'], additionalProperties: { type: ['string', 'number', 'boolean'] } },
          annotations: { type: ['object', 'null'] },
        },
      },
      spec: {
        type: 'object',
        required: ['containers'],
        properties: {
          containers: { type: 'array', minItems: 1, maxItems: MOST_MEMBERS, items: member },
          initContainers: {
            type: ['array', 'null'],
            maxItems: MOST_MEMBERS,
            items: {
              type: 'object',
              required: ['image'],
              description: 'As containers; they run one after the other before those. Unknown keys are ignored.',
            },
          },
          volumes: { type: ['array', 'null'], maxItems: MOST_VOLUMES, items: VOLUME },
          restartPolicy: { enum: RESTART_POLICIES },
        },
      },
      availabilityZone: { ...text({ min: 1, max: 255 }).schema(minor), type: ['string', 'null'] },
      restartPolicy: { enum: RESTART_POLICIES, description: 'Without effect: the one in `spec` counts.' },
    },
    additionalProperties: false,
  }
}
