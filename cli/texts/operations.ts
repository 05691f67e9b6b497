/** Parked keys and dead letters. */
import type { Pairs } from './pairs.ts'

export const operationTexts = {
  'parked.about': [
    'Look after messages that could not be applied: list, show, redrive, discard',
    'Atender los mensajes que no se pudieron aplicar: listar, ver, reintentar, descartar',
  ],
  'parked.list.about': ['List parked keys, or their causes', 'Listar las claves apartadas, o sus causas'],
  'parked.show.about': ['Show a parked key with its messages', 'Ver una clave apartada con sus mensajes'],
  'parked.redrive.about': [
    'Apply parked messages again; exit 1 when one fails again',
    'Aplicar otra vez los mensajes apartados; sale con 1 si alguno vuelve a fallar',
  ],
  'parked.discard.about': [
    'Remove parked messages without applying them, for ever',
    'Quitar mensajes apartados sin aplicarlos, para siempre',
  ],
  'parked.group': ['The service that could not apply them', 'El servicio que no pudo aplicarlos'],
  'parked.source': ['The service that said them', 'El servicio que los dijo'],
  'parked.key': ['What they are about, like ord_…', 'De qué tratan, como ord_…'],
  'parked.id': [
    'Only this message; repeat it for more (default: all)',
    'Solo este mensaje; repítela para más (por defecto: todos)',
  ],
  'parked.applied': ['{applied} applied.', '{applied} aplicados.'],
  'parked.failedAgain': ['{applied} applied, then again: {error}', '{applied} aplicados y, de nuevo: {error}'],
  'parked.appliedOf': [
    '{keys} keys tried, {applied} messages applied, {failed} keys failed again.',
    '{keys} claves intentadas, {applied} mensajes aplicados, {failed} claves han vuelto a fallar.',
  ],

  'dead.about': [
    'Look after tasks that were given up: list, show, redrive, discard',
    'Atender las tareas que se dieron por perdidas: listar, ver, reintentar, descartar',
  ],
  'dead.list.about': ['List dead letters, or their causes', 'Listar las tareas perdidas, o sus causas'],
  'dead.show.about': ['Show a dead letter', 'Ver una tarea perdida'],
  'dead.redrive.about': ['Let dead tasks run again', 'Hacer que las tareas perdidas se intenten otra vez'],
  'dead.discard.about': [
    'Give dead tasks up for good; nobody is told of it',
    'Abandonar tareas perdidas para siempre; no se avisa a nadie',
  ],
  'dead.service': ['The service whose tasks', 'El servicio de las tareas'],
  'dead.id': ['The task', 'La tarea'],
  'dead.type': ['Only tasks of this type', 'Solo las tareas de este tipo'],
  'dead.redriven': ['{redriven} run again.', 'Se intentan de nuevo: {redriven}.'],
  discarded: ['{discarded} discarded.', 'Descartados: {discarded}.'],

  'option.group': ['Only of this group', 'Solo los de este grupo'],
  'option.service': ['Only of this service', 'Solo las de este servicio'],
  'option.cause': [
    'Only of this cause, as “list --by-cause” tells it',
    'Solo los de esta causa, como la dice «list --by-cause»',
  ],
  'option.byCause': ['Causes instead of single ones', 'Las causas en vez de uno por uno'],
  'option.all': ['All there are', 'Todos los que haya'],
  'option.reason': ['Why, for the record', 'Por qué, para que conste'],
  'usage.whichKey': [
    'Say which: a source and a key, or --cause, or --all.',
    'Di cuáles: un origen y una clave, o --cause, o --all.',
  ],
  'usage.whichTask': [
    'Say which: one id, or --type or --cause, or --all.',
    'Di cuáles: un id, o --type o --cause, o --all.',
  ],
  'value.reason': [
    'It must say something, in at most 500 characters.',
    'Tiene que decir algo, en 500 caracteres como mucho.',
  ],

  'field.group': ['Group', 'Grupo'],
  'field.source': ['From', 'De'],
  'field.key': ['Key', 'Clave'],
  'field.keys': ['Keys', 'Claves'],
  'field.messages': ['Messages', 'Mensajes'],
  'field.type': ['Type', 'Tipo'],
  'field.since': ['Since', 'Desde'],
  'field.cause': ['Cause', 'Causa'],
  'field.error': ['What went wrong', 'Qué falló'],
  'field.example': ['One of them', 'Una de ellas'],
  'field.message': ['Message', 'Mensaje'],
  'field.position': ['Position', 'Posición'],
  'field.data': ['Data', 'Datos'],
  'field.service': ['Service', 'Servicio'],
  'field.task': ['Task', 'Tarea'],
  'field.tasks': ['Tasks', 'Tareas'],
  'field.attempts': ['Attempts', 'Intentos'],
  'field.outcome': ['Last outcome', 'Último resultado'],
  'field.request': ['Request', 'Petición'],
} as const satisfies Pairs
