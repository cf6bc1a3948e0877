import { Enums as CoreEnums, eventTarget, getRenderingEngine, utilities } from '@cornerstonejs/core';
import {
  addTool,
  annotation,
  Enums,
  init as initTools,
  LengthTool,
  PanTool,
  ToolGroupManager,
  WindowLevelTool,
  ZoomTool,
} from '@cornerstonejs/tools';
import type { ToolName } from './presentation';

const groupId = 'stack';

/** Measurements: the accent, legible on black and on white (the text has a shadow). */
const measured = 'rgb(76, 194, 255)';
const chosen = 'rgb(255, 214, 94)';

const names: Readonly<Record<ToolName, string>> = {
  window: WindowLevelTool.toolName,
  zoom: ZoomTool.toolName,
  pan: PanTool.toolName,
  length: LengthTool.toolName,
};

/** What the mouse and the fingers do: the chosen tool on the first button, pan on the second, zoom on the third. */
export class StackTools {
  readonly #group;

  constructor(engineId: string, viewportId: string) {
    initTools();
    // The tools attach themselves to viewports that are enabled after them; this one was there first, for the sake of the first picture.
    const viewport = getRenderingEngine(engineId)?.getViewport(viewportId);
    utilities.triggerEvent(eventTarget, CoreEnums.Events.ELEMENT_ENABLED, { element: viewport?.element, renderingEngineId: engineId, viewportId, viewport });
    for (const tool of [WindowLevelTool, ZoomTool, PanTool, LengthTool]) {
      addTool(tool);
    }
    const style = annotation.config.style.getDefaultToolStyles();
    annotation.config.style.setDefaultToolStyles({
      ...style,
      global: {
        ...style.global,
        color: measured,
        colorHighlighted: chosen,
        colorSelected: chosen,
        lineWidth: '1.5',
        textBoxColor: measured,
        textBoxColorHighlighted: chosen,
        textBoxColorSelected: chosen,
        textBoxFontFamily: 'system-ui, sans-serif',
        textBoxFontSize: '14px',
      },
    });
    const group = ToolGroupManager.createToolGroup(groupId);
    if (!group) {
      throw new Error('The tools could not be set up.');
    }
    for (const name of Object.values(names)) {
      group.addTool(name);
    }
    group.addViewport(viewportId, engineId);
    this.#group = group;
  }

  /** Without a tool the first button windows and one finger scrolls (the viewer does that itself). */
  activate(tool: ToolName | undefined): void {
    const { MouseBindings } = Enums;
    for (const name of Object.values(names)) {
      if (name === names.length) {
        this.#group.setToolPassive(name, { removeAllBindings: true });
      } else {
        this.#group.setToolDisabled(name);
      }
    }
    const bindings = new Map<string, { mouseButton?: number; numTouchPoints?: number }[]>();
    const bind = (name: string, binding: { mouseButton?: number; numTouchPoints?: number }) => bindings.set(name, [...(bindings.get(name) ?? []), binding]);
    bind(names[tool ?? 'window'], { mouseButton: MouseBindings.Primary });
    bind(names.pan, { mouseButton: MouseBindings.Auxiliary });
    bind(names.zoom, { mouseButton: MouseBindings.Secondary });
    bind(names.zoom, { numTouchPoints: 2 });
    if (tool) {
      bind(names[tool], { numTouchPoints: 1 });
    }
    for (const [name, of] of bindings) {
      this.#group.setToolActive(name, { bindings: of });
    }
  }
  /** Takes the chosen measurements away. */
  deleteSelected(): void {
    for (const uid of annotation.selection.getAnnotationsSelected()) {
      annotation.state.removeAnnotation(uid);
    }
  }
}
