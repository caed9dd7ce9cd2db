// Draws each drone as an arrow head that points where its nose does, with an outline that
// keeps it apart from the ground in both themes. Far out, where an arrow would be a smear,
// it becomes a dot. A shape in the fragment shader: one draw for all drones, no images.

import { ScatterplotLayer, type ScatterplotLayerProps } from "@deck.gl/layers";
import type { DefaultProps } from "@deck.gl/core";

const DECLARATIONS = `\
in float instanceAngles;
out vec2 droneUv;
`;

/** Angles are compass degrees: clockwise from north. */
const TURN = `\
  float droneAngle = radians(instanceAngles);
  float droneCos = cos(droneAngle);
  float droneSin = sin(droneAngle);
  droneUv = vec2(
    droneCos * unitPosition.x - droneSin * unitPosition.y,
    droneSin * unitPosition.x + droneCos * unitPosition.y
  );
`;

const FRAGMENT = `\
#version 300 es
#define SHADER_NAME drone-layer-fragment-shader
precision highp float;
in vec4 vFillColor;
in vec4 vLineColor;
in vec2 unitPosition;
in float innerUnitRadius;
in float outerRadiusPixels;
in vec2 droneUv;
out vec4 fragColor;

const vec2 NOSE = vec2(0.0, 0.84);
const vec2 TAIL = vec2(0.60, -0.66);
const vec2 NOTCH = vec2(0.0, -0.34);

float toSegment(vec2 p, vec2 a, vec2 b) {
  vec2 along = b - a;
  return length(p - a - along * clamp(dot(p - a, along) / dot(along, along), 0.0, 1.0));
}

float leftOf(vec2 p, vec2 a, vec2 b) {
  return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
}

/** Signed distance to the arrow head, which is the same left and right. */
float arrow(vec2 p) {
  p.x = abs(p.x);
  float distance = min(toSegment(p, NOSE, TAIL), toSegment(p, TAIL, NOTCH));
  bool inside = leftOf(p, NOSE, TAIL) < 0.0 && leftOf(p, TAIL, NOTCH) < 0.0;
  return inside ? -distance : distance;
}

void main(void) {
  geometry.uv = unitPosition;
  float dot = length(unitPosition) - 0.52;
  float shape = mix(dot, arrow(droneUv), smoothstep(2.5, 4.5, outerRadiusPixels));
  float soft = max(fwidth(shape), 1e-4);
  // Drones that are not to be seen have no opacity, and then no outline either.
  float outline = 1.0 - innerUnitRadius;
  float fill = smoothstep(0.5 * soft, -0.5 * soft, shape);
  float cover = smoothstep(outline + 0.5 * soft, outline - 0.5 * soft, shape);
  if (cover <= 0.004) discard;
  fragColor = mix(vec4(vLineColor.rgb, vLineColor.a * vFillColor.a), vFillColor, fill);
  fragColor.a *= cover;
  DECKGL_FILTER_COLOR(fragColor, geometry);
}
`;

export interface DroneLayerProps extends ScatterplotLayerProps {
  /** Compass degrees of each drone's nose; given as a binary attribute. */
  getAngle?: number;
}

export class DroneLayer extends ScatterplotLayer<unknown, Required<Pick<DroneLayerProps, "getAngle">>> {
  static override layerName = "DroneLayer";
  static override defaultProps: DefaultProps<DroneLayerProps> = {
    getAngle: { type: "accessor", value: 0 },
  };

  override initializeState(): void {
    super.initializeState();
    this.getAttributeManager()?.addInstanced({
      instanceAngles: { size: 1, accessor: "getAngle", defaultValue: 0 },
    });
  }

  override getShaders() {
    const shaders = super.getShaders();
    return {
      ...shaders,
      fs: FRAGMENT,
      inject: { ...shaders.inject, "vs:#decl": DECLARATIONS, "vs:#main-end": TURN },
    };
  }
}
