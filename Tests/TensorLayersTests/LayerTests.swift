import TensorCheckpoints
import TensorCore
import TensorLayers
import TestSupport
import Testing

/// Layers against PyTorch's, initialisation included; see Tests/Golden/make_layers.py.
@Suite struct LayerTests {
  private func check(
    _ name: String, channelsLast: Bool = false,
    _ layer: (inout ParameterInitializer) -> (Tensor) -> Tensor
  ) throws {
    let file = try SafetensorsFile(
      path: Shared.golden.appendingPathComponent("layers.safetensors").path)
    let (x, y) = (try file.tensor(named: "\(name).x"), try file.tensor(named: "\(name).y"))
    var initializer = ParameterInitializer(seed: 0)
    let apply = layer(&initializer)
    let order = [0, 2, 3, 1]
    expectClose(
      apply(channelsLast ? x.permuted(order) : x), channelsLast ? y.permuted(order) : y,
      tolerance: 2e-6, name)
  }

  @Test func linear() throws {
    try check("linear") {
      let layer = Linear(inputs: 5, outputs: 7, initializer: &$0)
      return { layer($0) }
    }
  }

  @Test func convolution() throws {
    try check("convolution", channelsLast: true) {
      let layer = Convolution(
        inputs: 4, outputs: 6, kernel: 3, stride: 2, padding: 1, groups: 2, initializer: &$0)
      return { layer($0) }
    }
  }

  @Test func transposedConvolution() throws {
    try check("transposed", channelsLast: true) {
      let layer = TransposedConvolution(
        inputs: 4, outputs: 6, kernel: 3, stride: 2, padding: 1, outputPadding: 1, groups: 2,
        initializer: &$0)
      return { layer($0) }
    }
  }

  @Test func norms() throws {
    try check("group_norm", channelsLast: true) {
      let layer = GroupNorm(channels: 6, groups: 3, initializer: &$0)
      return { layer($0) }
    }
    try check("layer_norm") {
      let layer = LayerNorm(channels: 9, initializer: &$0)
      return { layer($0) }
    }
    try check("rms_norm") {
      let layer = RMSNorm(channels: 9, initializer: &$0)
      return { layer($0) }
    }
  }

  @Test func embedding() throws {
    let file = try SafetensorsFile(
      path: Shared.golden.appendingPathComponent("layers.safetensors").path)
    var initializer = ParameterInitializer(seed: 0)
    let layer = Embedding(count: 6, width: 3, initializer: &initializer)
    expectClose(layer([5, 0, 5]), try file.tensor(named: "embedding.y"), tolerance: 1e-6)
  }

  @Test func mish() throws { try check("mish") { _ in { Activation.mish($0) } } }

  @Test func scaledAndShiftedGroupNorm() {
    var initializer = ParameterInitializer(seed: 0)
    var norm = GroupNorm(channels: 4, groups: 2, initializer: &initializer)
    norm.weight = Sample.uniform([4], seed: 1)
    norm.bias = Sample.uniform([4], seed: 2)
    let x = Sample.uniform([3, 2, 5, 4], seed: 3)
    let (scale, shift) = (Sample.uniform([3, 4], seed: 4), Sample.uniform([3, 4], seed: 5))
    let expected =
      norm(x) * (scale.reshaped([3, 1, 1, 4]) + 1) + shift.reshaped([3, 1, 1, 4])
    expectClose(norm(x, scale: scale, shift: shift), expected, tolerance: 1e-12)
    expectClose(
      norm(x, scale: scale, shift: shift, thenSiLU: true), expected.silu(), tolerance: 1e-12)
  }

  /// Attention over pixels against its definition, head by head in float64.
  @Test func attention() {
    var initializer = ParameterInitializer(seed: 1)
    let layer = Attention(
      channels: 6, headWidth: 3, groups: 2, outputScale: 2, initializer: &initializer
    ).converted(to: .float64)
    let x = Sample.uniform([2, 2, 3, 6], seed: 6, low: -3, high: 3)
    let tokens = (layer.groupNorm.map { $0(x) } ?? x).reshaped([2, 6, 6])
    let (q, k, v) = (
      layer.toQuery(tokens).doubles, layer.toKey(tokens).doubles, layer.toValue(tokens).doubles
    )
    var mixed = [Double](repeating: 0, count: 2 * 6 * 6)
    func at(_ sample: Int, _ token: Int, _ channel: Int) -> Int {
      (sample * 6 + token) * 6 + channel
    }
    for (sample, head) in [(0, 0), (0, 3), (1, 0), (1, 3)] {
      for query in 0..<6 {
        let scores = (0..<6).map { key in
          (0..<3).reduce(0.0) {
            $0 + q[at(sample, query, head + $1)] * k[at(sample, key, head + $1)]
          } / 3.0.squareRoot()
        }
        let weights = Tensor(scores).exp().doubles
        let total = weights.reduce(0, +)
        for (key, channel) in (0..<6).flatMap({ key in (0..<3).map { (key, $0) } }) {
          mixed[at(sample, query, head + channel)] +=
            weights[key] / total * v[at(sample, key, head + channel)]
        }
      }
    }
    let output = layer.toOutput(Tensor(mixed, shape: [2, 6, 6])).reshaped(x.shape)
    expectClose(layer(x), (output + x) / 2, tolerance: 1e-10)
  }

  @Test(arguments: ParameterLayout.allCases) func layoutsRoundTrip(_ layout: ParameterLayout) {
    let file = Sample.uniform([2, 3, 4, 5])
    let memory = layout.memory(ofFile: file)
    #expect(memory.shape == layout.memoryShape(ofFile: file.shape))
    #expect(layout.fileShape(ofMemory: memory.shape) == file.shape)
    #expect(layout.file(ofMemory: memory).doubles == file.doubles)
  }

  @Test func unsetParametersHaveTheirShapes() {
    var unset = ParameterInitializer.unset
    let layer = Convolution(inputs: 4, outputs: 6, kernel: 3, initializer: &unset)
    #expect(layer.weight.shape == [3, 3, 4, 6])
    #expect(layer.bias?.shape == [6])
  }
}
