import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct ParameterizationTests {
  static let process = DiscreteProcess(.ddpm)

  /// A network that answers its target makes a denoiser that gives the data back, at levels of any scaling.
  @Test(arguments: Parameterization.allCases, [0, 100, 700, 990])
  func aPerfectAnswerGivesTheData(_ parameterization: Parameterization, _ timestep: Int) {
    let (data, noise) = (Sample.uniform([2, 5], seed: 1), Sample.uniform([2, 5], seed: 2))
    let own = Self.process.levels[timestep]
    let numbers = parameterization.target(at: own)
    let answer = Tensor.linearCombination([(numbers.data, data), (numbers.noise, noise)])
    for scale in [1, 1 / own.signal, 0.3] {
      let level = NoiseLevel(signal: scale * own.signal, noise: scale * own.noise)
      let x = Tensor.linearCombination([(level.signal, data), (level.noise, noise)])
      let expected = parameterization.preconditioning(at: own, of: Self.process)
      let denoiser = Self.process.denoiser(parameterization, batch: 2) { input, time in
        #expect(abs(time - expected.time) < 1e-9 * max(1, abs(expected.time)))
        expectClose(input, x * (expected.input / scale), tolerance: 1e-12)
        return answer
      }
      let estimate = denoiser.estimate(x, at: level)
      // x0 is what is left of a sample whose signal is small.
      expectClose(estimate.denoised, data, tolerance: 1e-15 * max(100, 10 / own.signal))
      expectClose(estimate.noise(in: x, at: level), noise, tolerance: 1e-9)
      let velocity = Tensor.linearCombination([(level.signal, noise), (-level.noise, data)])
      expectClose(estimate.velocity(of: x, at: level), velocity, tolerance: 1e-9)
    }
  }

  /// Levels of the process itself are not scaled at all: nothing is rounded on the way to the network.
  @Test(arguments: [Parameterization.epsilon, .sample, .velocity, .flow, .score])
  func theProcessesOwnLevelsAreTakenAsTheyAre(_ parameterization: Parameterization) {
    let level = Self.process.levels[321]
    let numbers = parameterization.preconditioning(at: level, of: Self.process)
    #expect(numbers.input == 1 && numbers.time == 321)
    let exploding = parameterization.preconditioning(
      at: NoiseLevel(sigma: level.ratio), of: Self.process)
    #expect(relative(exploding.input, 1 / hypot(1, level.ratio)) < 1e-14)
    #expect(relative(exploding.time, 321) < 1e-11)
  }

  /// Each of the nine answers follows from each other one, for samples of any scaling.
  @Test(arguments: Parameterization.allCases, Parameterization.allCases)
  func answersConvert(_ from: Parameterization, _ to: Parameterization) {
    let (data, noise) = (Sample.uniform([2, 5], seed: 1), Sample.uniform([2, 5], seed: 2))
    func answer(_ kind: Parameterization, _ level: NoiseLevel) -> Tensor {
      let numbers = kind.target(at: level)
      return Tensor.linearCombination([(numbers.data, data), (numbers.noise, noise)])
    }
    func check<P: Diffusion.Process>(_ process: P, _ time: Double) {
      let own = process.level(at: time)
      for scale in [1, 2.5] {
        let x = Tensor.linearCombination([(scale * own.signal, data), (scale * own.noise, noise)])
        let level = NoiseLevel(signal: scale * own.signal, noise: scale * own.noise)
        let converted = from.converted(answer(from, own), of: x, to: to, at: level, of: process)
        expectClose(converted, answer(to, own), tolerance: 1e-13 / (own.signal * own.noise))
      }
    }
    check(Self.process, 400)
    check(VarianceExploding(), 0.4)
    check(RectifiedFlow(), 0.7)
    check(SubVariancePreserving(), 0.3)
  }

  /// Karras et al. 2022, table 1, at sigma = 0.7 and signal 1.
  @Test func preconditioningIsKarrasTable() {
    let (sigma, level) = (0.7, NoiseLevel(sigma: 0.7))
    func expect(
      _ kind: Parameterization, _ skip: Double, _ output: Double, _ input: Double, _ time: Double
    ) {
      let numbers = kind.preconditioning(at: level, of: EDM())
      #expect(relative(numbers.skip, skip) < 1e-14)
      #expect(relative(numbers.output, output) < 1e-14)
      #expect(relative(numbers.input, input) < 1e-14)
      #expect(relative(numbers.time, time) < 1e-12)
    }
    let total = sigma * sigma + 0.25
    expect(
      .edm(), 0.25 / total, 0.5 * sigma / total.squareRoot(), 1 / total.squareRoot(),
      log(sigma) / 4)
    expect(
      .edmVelocity(), 0.25 / total, -0.5 * sigma / total.squareRoot(), 1 / total.squareRoot(),
      log(sigma) / 4)
    expect(.varianceExploding, 1, sigma, 1, log(sigma / 2))
    let input = 1 / (1 + sigma * sigma).squareRoot()
    // 999 t with t the root of 19.9 / 2 t^2 + 0.1 t = ln(1 + sigma^2).
    let time = 999 * ((0.01 + 2 * 19.9 * log(1 + sigma * sigma)).squareRoot() - 0.1) / 19.9
    expect(.variancePreserving, 1, -sigma, input, time)
    let cosine = DiscreteProcess(.cosine())
    let nearest = (0..<1000).min {
      abs(cosine.levels[$0].ratio - sigma) < abs(cosine.levels[$1].ratio - sigma)
    }
    expect(.improvedDDPM, 1, -sigma, input, Double(nearest ?? -1))
  }

  /// Networks of VP are told the time of the process that they were trained on.
  @Test func variancePreservingTimesAreTheProcesssOwn() {
    let process = VariancePreserving(beta: LinearBeta(from: 0.5, to: 12))
    for known: any Diffusion.Process in [process, AnyProcess(process)] {
      let told = Parameterization.variancePreserving.preconditioning(
        at: NoiseLevel(sigma: 0.7), of: known
      ).time
      #expect(relative(told, process.timestep(of: NoiseLevel(sigma: 0.7))) < 1e-14)
    }
  }

  /// Stable Audio's scheduler (CosineDPMSolverMultistepScheduler) on variance-exploding levels is v on the angle: c_skip =
  /// 1 / (sigma^2 + 1), c_out = -sigma c_in, c_in = 1 / sqrt(sigma^2 + 1), told atan(sigma) 2 / pi.
  @Test(arguments: [0.3, 0.7, 500])
  func velocityOnTheAngleIsEDMsWithDeviationOne(_ sigma: Double) {
    let numbers = Parameterization.velocity.preconditioning(
      at: NoiseLevel(sigma: sigma), of: TrigonometricProcess())
    let input = 1 / (sigma * sigma + 1).squareRoot()
    #expect(relative(numbers.skip, input * input) < 1e-13)
    #expect(relative(numbers.output, -sigma * input) < 1e-13)
    #expect(relative(numbers.input, input) < 1e-13)
    #expect(relative(numbers.time, atan(sigma) * 2 / .pi) < 1e-13)
  }

  /// EDM's input and target have variance 1 where the data's deviation is what it says.
  @Test(arguments: [0.5, 0.9])
  func edmKeepsVarianceAtOne(_ deviation: Double) {
    let kind = Parameterization.edm(dataDeviation: deviation)
    for level in [
      NoiseLevel(sigma: 0.02), NoiseLevel(sigma: 40), Self.process.levels[500], .pureNoise,
    ] {
      let target = kind.target(at: level)
      #expect(
        relative(pow(target.data * deviation, 2) + target.noise * target.noise, 1) < 1e-14)
      let input = kind.preconditioning(at: level, of: Self.process).input
      let variance = pow(level.signal * deviation, 2) + level.noise * level.noise
      #expect(relative(input * input * variance, 1) < 1e-12)
    }
  }

  @Test func withoutSignalFlowAndVelocityStillSpeak() {
    let velocity = Parameterization.velocity.preconditioning(
      at: .pureNoise, of: VariancePreserving())
    #expect(velocity.skip == 0 && velocity.output == -1 && velocity.input == 1)
    let flow = Parameterization.flow.preconditioning(at: .pureNoise, of: RectifiedFlow(shift: 3))
    #expect(flow.skip == 1 && flow.output == -1 && flow.time == 1000)
  }

  @Test func namesInFilesAreDiffusers() throws {
    let names = ["epsilon", "sample", "v_prediction", "flow_prediction"]
    #expect(Parameterization.allCases.prefix(4).map(\.name) == names)
    for kind in Parameterization.allCases + [
      .edm(dataDeviation: 1.5), .edmVelocity(dataDeviation: 1.5),
    ] {
      let data = try JSONEncoder().encode([kind])
      #expect(try JSONDecoder().decode([Parameterization].self, from: data) == [kind])
    }
    let error = #expect(throws: DecodingError.self) {
      try JSONDecoder().decode([Parameterization].self, from: Data(#"["noise"]"#.utf8))
    }
    #expect("\(String(describing: error))".contains("found noise"))
  }

  @Test func scoreIsTheGradientOfTheLogDensity() {
    let world = GaussianWorld.mixture
    let level = NoiseLevel(signal: 0.8, noise: 0.4)
    let x = Sample.uniform([2, 3], seed: 3)
    let estimate = ExactDenoiser(world: world).estimate(x, at: level)
    let score = estimate.score(of: x, at: level).doubles
    for element in 0..<6 {
      func density(_ shift: Double) -> Double {
        var values = x.doubles
        values[element] += shift
        let moved = Tensor(values, shape: [2, 3])
        return world.logDensity(moved, signal: 0.8, noise: 0.4)[element / 3]
      }
      let slope = (density(1e-5) - density(-1e-5)) / 2e-5
      #expect(abs(slope - score[element]) < 1e-7)
    }
  }

  @Test func aNetworkThatLearnsTheVarianceAnswersTwiceTheChannels() throws {
    let (data, answer) = (Sample.uniform([2, 3], seed: 1), Sample.uniform([2, 3], seed: 2))
    let denoiser = Self.process.denoiser(.sample, batch: 2) { _, _ in
      Tensor.concatenated([data, answer], axis: -1)
    }
    let estimate = denoiser.estimate(data, at: Self.process.levels[5])
    #expect(estimate.denoised.doubles == data.doubles)
    #expect(try #require(estimate.variance).doubles == answer.doubles)
  }
}
