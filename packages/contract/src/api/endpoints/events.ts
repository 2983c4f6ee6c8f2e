import { anyArgument, listArgument, wholeArgument } from '../../fields/arguments.ts'
import { badArgument, badHeader, type Field } from '../../fields/field.ts'
import { endpoint, textAnswer } from '../endpoint.ts'
import { EVENT_TYPES } from '../events.ts'

const MOST_UUIDS = 100
const LONGEST_S = 86_400
const UUID = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}'
const WHOLE_UUID = new RegExp(`^${UUID}$`)
const PLACE = /^[0-9]{1,15}$/
const NO_PLACE = 'It is not the id of an event: 1 to 15 digits'

export const EVENT_ENDPOINTS = {
  listenEvents: endpoint({
    id: 'listenEvents',
    method: 'GET',
    path: '/v1/events',
    tag: 'events',
    summary:
      'What happens to containers and capsules, as server-sent events; it stays open. docs/api/events.md has their form.',
    extension: 'events',
    args: {
      uuid: listArgument(
        { max: MOST_UUIDS, pattern: UUID },
        (text) => (WHOLE_UUID.test(text) ? { value: text.toLowerCase() } : { bad: 'It is not a uuid' }),
        { about: `Only of these containers or capsules; at most ${MOST_UUIDS}.` },
      ),
      type: listArgument(
        { max: MOST_UUIDS, pattern: `(?:${EVENT_TYPES.join('|').replaceAll('.', '\\.')})` },
        (text) => {
          const value = EVENT_TYPES.find((type) => type === text)
          return value === undefined ? { bad: `It is not one of ${EVENT_TYPES.join(', ')}` } : { value }
        },
        { about: 'Only events of these types.' },
      ),
      last_event_id: place(),
      timeout: wholeArgument(
        { min: 0, max: LONGEST_S },
        { about: 'Seconds after which it ends; absent: it stays open.' },
      ),
      all_projects: anyArgument({ about: 'Of all projects, for admins.' }),
    },
    strict: true,
    headers: {
      'last-event-id': {
        about: 'Begin behind this event.',
        schema: () => ({ type: 'string', pattern: PLACE.source }),
        read: (value, name) => {
          if (typeof value === 'string' && PLACE.test(value)) return value
          throw badHeader(name, value, NO_PLACE)
        },
      },
    },
    answers: [textAnswer(200, 'text/event-stream')],
    errors: [403],
  }),
}

function place(): Field<string | undefined, string> {
  return {
    about: 'As the header `Last-Event-ID`, which wins.',
    schema: () => ({ type: 'string', pattern: '^[0-9]{0,15}$' }),
    takesNone: true,
    read: (value, name) => {
      if (value === '') return undefined
      if (typeof value === 'string' && PLACE.test(value)) return value
      throw badArgument(name, value, NO_PLACE)
    },
  }
}
