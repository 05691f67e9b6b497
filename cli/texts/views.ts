/** Views, and the timeline and the stream of an order. */
import type { Pairs } from './pairs.ts'

export const viewTexts = {
  'views.about': [
    'Look after views, the tables that are only read: list, rebuild',
    'Atender las vistas, las tablas que solo se leen: listar, reconstruir',
  ],
  'views.list.about': ['List views and how far they are', 'Listar las vistas y por dónde van'],
  'views.rebuild.about': [
    'Build a view anew beside the one that is read, then change over',
    'Reconstruir una vista junto a la que se lee y luego cambiar a la nueva',
  ],
  'views.name': ['The view, like order-list', 'La vista, como order-list'],
  'views.rebuild.all': ['All views', 'Todas las vistas'],
  'views.rebuild.wait': ['Wait until the new one is read', 'Esperar hasta que se lea la nueva'],
  'views.rebuild.which': ['Name a view, or say --all.', 'Nombra una vista o indica --all.'],
  'views.rebuild.asked': [
    'It is being built. See how far it is with “npx cauce views list”.',
    'Se está reconstruyendo. Mira por dónde va con «npx cauce views list».',
  ],
  'views.column.name': ['View', 'Vista'],
  'views.column.service': ['Service', 'Servicio'],
  'views.column.state': ['State', 'Estado'],
  'views.column.generation': ['Generation', 'Generación'],
  'views.column.since': ['Since', 'Desde'],
  'views.column.lag': ['Behind', 'Retraso'],
  'views.column.oldest': ['Oldest', 'Más antiguo'],
  'views.column.building': ['Being built', 'En construcción'],
  'views.column.error': ['What is wrong', 'Qué va mal'],
  'views.state.active': ['is read', 'se lee'],
  'views.state.building': ['is being built', 'se construye'],
  'views.state.stopped': ['stands still', 'está parada'],
  'views.phase.asked': ['asked for', 'pedida'],
  'views.phase.seeding': ['copying', 'copiando'],
  'views.phase.tailing': ['catching up', 'poniéndose al día'],

  'order.watch.about': [
    'Watch an order until it is completed or cancelled',
    'Seguir un pedido hasta que se complete o se cancele',
  ],
  'order.timeline.about': [
    'Show every hop of an order: request, rows, messages, tasks, statuses',
    'Ver cada paso de un pedido: petición, filas, mensajes, tareas, estados',
  ],
  'timeline.after': ['After', 'Tras'],
  'timeline.service': ['Service', 'Servicio'],
  'timeline.kind': ['Kind', 'Clase'],
  'timeline.name': ['What', 'Qué'],
  'timeline.note': ['More', 'Más'],
  'timeline.request': ['request', 'petición'],
  'timeline.row': ['row', 'fila'],
  'timeline.message': ['message', 'mensaje'],
  'timeline.task': ['task', 'tarea'],
  'timeline.state': ['state', 'estado'],
  'timeline.attempts': ['attempts: {count}', 'intentos: {count}'],
  'timeline.next': ['next at {at}', 'el próximo a las {at}'],
} as const satisfies Pairs
