/** What every command may say: help, usage, errors. */
import type { Pairs } from './pairs.ts'

export const shellTexts = {
  about: [
    'Cauce from the command line: run it, try it, look into it.',
    'Cauce desde la línea de órdenes: arrancarlo, probarlo y mirar dentro.',
  ],
  'about.after': [
    'Settings come from flags, then the environment, then the .env file of this directory.\nExit: 0 ok, 1 a check failed, 2 usage, 3 unreachable, 130 interrupted.',
    'Los ajustes salen de las opciones, luego del entorno y luego del fichero .env de este directorio.\nSalida: 0 bien, 1 falló una comprobación, 2 uso, 3 inalcanzable, 130 interrumpido.',
  ],
  'option.json': ['Print the result as one JSON document', 'Mostrar el resultado como un solo documento JSON'],
  'option.lang': ['Language of the texts (default: from LANG)', 'Idioma de los textos (por defecto: el de LANG)'],
  'option.url': [
    'The server to talk to (default: CAUCE_URL, else from HOST and PORT)',
    'El servidor con el que hablar (por defecto: CAUCE_URL; si no, según HOST y PORT)',
  ],
  'option.data': [
    'Where the database and the development key are kept (default: CAUCE_DATA, else .cauce)',
    'Dónde están la base de datos y la clave de desarrollo (por defecto: CAUCE_DATA; si no, .cauce)',
  ],
  'option.version': ['Print the version', 'Mostrar la versión'],
  'option.help': ['Show help', 'Mostrar la ayuda'],
  'command.help': ['Show the help of a command', 'Mostrar la ayuda de una orden'],

  'help.usage': ['Usage:', 'Uso:'],
  'help.arguments': ['Arguments:', 'Argumentos:'],
  'help.options': ['Options:', 'Opciones:'],
  'help.globalOptions': ['Global Options:', 'Opciones generales:'],
  'help.commands': ['Commands:', 'Órdenes:'],
  'help.examples': ['Examples:', 'Ejemplos:'],
  'help.choices': ['choices', 'valores'],
  'help.default': ['default', 'por defecto'],
  'help.more': ['More: {command} --help', 'Más: {command} --help'],

  'usage.unknownOption': ['There is no option {name}.', 'No existe la opción {name}.'],
  'usage.unknownCommand': ['There is no command {name}.', 'No existe la orden {name}.'],
  'usage.didYouMean': ['Did you mean {name}?', '¿Querías decir {name}?'],
  'usage.missingArgument': ['The argument {name} is missing.', 'Falta el argumento {name}.'],
  'usage.optionMissingArgument': ['The option {name} needs a value.', 'La opción {name} necesita un valor.'],
  'usage.missingOption': ['The option {name} is required.', 'La opción {name} es obligatoria.'],
  'usage.tooManyArguments': [
    'There are too many arguments: {expected} expected, {given} given.',
    'Hay demasiados argumentos: se esperaban {expected} y hay {given}.',
  ],
  'usage.invalidValue': ['{name} cannot be “{value}”. {why}', '{name} no puede ser «{value}». {why}'],
  'usage.choices': ['Choose from: {choices}.', 'Elige entre: {choices}.'],
  'usage.noCommand': ['Say which command. These are there:', 'Di qué orden. Estas son las que hay:'],

  'value.integer': [
    'It must be a whole number from {low} to {high}.',
    'Tiene que ser un número entero de {low} a {high}.',
  ],
  'value.duration': ['Write it like 90s, 30m, 1h or 7d.', 'Escríbelo como 90s, 30m, 1h o 7d.'],
  'value.subject': ['It must be 1 to 64 of A-Z a-z 0-9 . _ @ -', 'Tienen que ser de 1 a 64 de A-Z a-z 0-9 . _ @ -'],
  'value.url': ['It must start with http:// or https://.', 'Tiene que empezar por http:// o https://.'],
  'value.key': ['It must be 1 to 255 visible characters.', 'Tienen que ser de 1 a 255 caracteres visibles.'],
  'value.money': [
    '“{text}” is not an amount in {currency}. Write it like {example}.',
    '«{text}» no es un importe en {currency}. Escríbelo como {example}.',
  ],
  'value.currency': [
    '“{text}” is not a currency. Write a code like EUR.',
    '«{text}» no es una moneda. Escribe un código como EUR.',
  ],

  'error.unreachable': [
    'There is no answer from {url} ({reason}).\nStart the server with “npm start”, or name another one with --url or CAUCE_URL.',
    'No hay respuesta de {url} ({reason}).\nArranca el servidor con «npm start», o indica otro con --url o CAUCE_URL.',
  ],
  'error.lost': [
    'No answer from {url} for {seconds} s ({reason}): giving up.',
    'Sin respuesta de {url} durante {seconds} s ({reason}): se abandona.',
  ],
  'error.unknownOutcome': [
    'Whether it was done is not known. Repeat with --key {key}: it is done once, however often you ask.',
    'No se sabe si llegó a hacerse. Repítelo con --key {key}: se hace una sola vez, lo pidas cuantas veces lo pidas.',
  ],
  'error.code': ['code {code}, request {requestId}', 'código {code}, petición {requestId}'],
  'error.notCauce': [
    '{url} answers, but not as Cauce does (HTTP {status}).',
    '{url} responde, pero no como Cauce (HTTP {status}).',
  ],
  'error.unexpected': [
    'Something went wrong that nobody expected: {message}',
    'Ha ocurrido algo que nadie esperaba: {message}',
  ],
  'error.interrupted': ['Interrupted.', 'Interrumpido.'],
  'hint.unauthenticated': [
    'The token was signed with the key in {data}. If the server uses another directory, name it with --data.',
    'El token se firmó con la clave de {data}. Si el servidor usa otro directorio, indícalo con --data.',
  ],
  'hint.unknownSku': [
    'See what there is with “npx cauce product list”; “npx cauce demo” makes products, and so does “npx cauce product put”.',
    'Mira lo que hay con «npx cauce product list»; «npx cauce demo» crea productos, y también «npx cauce product put».',
  ],
  'waiting.away': [
    'The server does not answer ({reason}); waiting for it, at most {seconds} s.',
    'El servidor no responde ({reason}); se le espera, como mucho {seconds} s.',
  ],
  'waiting.back': ['The server answers again, after {seconds} s.', 'El servidor vuelve a responder, tras {seconds} s.'],
  'list.next': ['More: --cursor {cursor}', 'Más: --cursor {cursor}'],
  'list.empty': ['There is nothing here yet.', 'Todavía no hay nada.'],
} as const satisfies Pairs
