import {
  addTool,
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
    for (const tool of [WindowLevelTool, ZoomTool, PanTool, LengthTool]) {
      addTool(tool);
    }
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
}
