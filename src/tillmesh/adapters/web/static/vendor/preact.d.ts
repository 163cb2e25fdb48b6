/* The few types of Preact 11 that this UI uses (hand-written, so that the wheel need not carry the package's own). */
export interface VNode { readonly type: unknown; readonly props: object; key: unknown }
export type Child = VNode | string | number | boolean | null | undefined | Child[];
export type Component<P> = (props: P) => Child;
export function h(type: unknown, props: object | null, ...children: Child[]): VNode;
export function render(node: Child, parent: Element): void;
export const Fragment: unknown;
