export type Ref<T> = { current: T };
export function useState<T>(initial: T | (() => T)): [T, (next: T | ((now: T) => T)) => void];
export function useEffect(run: () => void | (() => void), inputs?: readonly unknown[]): void;
export function useLayoutEffect(run: () => void | (() => void), inputs?: readonly unknown[]): void;
export function useRef<T>(initial: T): Ref<T>;
export function useRef<T>(initial: T | null): Ref<T | null>;
export function useMemo<T>(make: () => T, inputs: readonly unknown[]): T;
export function useId(): string;
