//! The traits by which halo2 knows a curve, and their operators.

use std::{
    fmt,
    iter::Sum,
    ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign},
};

use ff::{Field as _, WithSmallOrderMulGroup as _};
use getrandom::rand_core::TryRng;
use group::{
    Curve, CurveAffine as _, Group, GroupEncoding,
    prime::{PrimeCurve, PrimeGroup},
};
use pasta_curves::{
    Eq as StockPoint, EqAffine, Fp, Fq,
    arithmetic::{Coordinates, CurveAffine, CurveExt, VartimeField as _},
};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, CtOption};

use super::{IDENTITY, Vesta, VestaPoint, endomorphism};

/// As `pasta_curves` writes it: a verifying key is identified by its text.
impl fmt::Debug for Vesta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stock().fmt(f)
    }
}

impl From<VestaPoint> for Vesta {
    fn from(point: VestaPoint) -> Self {
        point.to_affine_vartime()
    }
}

impl From<Vesta> for VestaPoint {
    fn from(point: Vesta) -> Self {
        point.to_curve()
    }
}

// === operators ===

/// Sums and differences of two types, by value and by reference.
macro_rules! sums {
    ($left:ty, $right:ty, $add:ident) => {
        impl Add<$right> for $left {
            type Output = VestaPoint;

            #[inline]
            fn add(self, other: $right) -> VestaPoint {
                self.$add(&other)
            }
        }

        impl Add<&$right> for $left {
            type Output = VestaPoint;

            #[inline]
            fn add(self, other: &$right) -> VestaPoint {
                self.$add(other)
            }
        }

        impl Sub<$right> for $left {
            type Output = VestaPoint;

            #[inline]
            fn sub(self, other: $right) -> VestaPoint {
                self.$add(&-other)
            }
        }

        impl Sub<&$right> for $left {
            type Output = VestaPoint;

            #[inline]
            fn sub(self, other: &$right) -> VestaPoint {
                self.$add(&-*other)
            }
        }
    };
}

/// The same, in place.
macro_rules! assigned_sums {
    ($right:ty, $add:ident) => {
        impl AddAssign<$right> for VestaPoint {
            #[inline]
            fn add_assign(&mut self, other: $right) {
                *self = self.$add(&other);
            }
        }

        impl AddAssign<&$right> for VestaPoint {
            #[inline]
            fn add_assign(&mut self, other: &$right) {
                *self = self.$add(other);
            }
        }

        impl SubAssign<$right> for VestaPoint {
            #[inline]
            fn sub_assign(&mut self, other: $right) {
                *self = self.$add(&-other);
            }
        }

        impl SubAssign<&$right> for VestaPoint {
            #[inline]
            fn sub_assign(&mut self, other: &$right) {
                *self = self.$add(&-*other);
            }
        }
    };
}

/// Multiples, by value and by reference.
macro_rules! multiples {
    ($point:ty) => {
        impl Mul<Fp> for $point {
            type Output = VestaPoint;

            fn mul(self, scalar: Fp) -> VestaPoint {
                endomorphism::multiple(&self.into(), &scalar)
            }
        }

        impl Mul<&Fp> for $point {
            type Output = VestaPoint;

            fn mul(self, scalar: &Fp) -> VestaPoint {
                endomorphism::multiple(&self.into(), scalar)
            }
        }
    };
}

sums!(VestaPoint, VestaPoint, add_point);
sums!(VestaPoint, Vesta, add_affine);
sums!(Vesta, Vesta, add_affine);
assigned_sums!(VestaPoint, add_point);
assigned_sums!(Vesta, add_affine);
multiples!(VestaPoint);
multiples!(Vesta);

impl MulAssign<Fp> for VestaPoint {
    fn mul_assign(&mut self, scalar: Fp) {
        *self = endomorphism::multiple(self, &scalar);
    }
}

impl MulAssign<&Fp> for VestaPoint {
    fn mul_assign(&mut self, scalar: &Fp) {
        *self = endomorphism::multiple(self, scalar);
    }
}

impl Neg for VestaPoint {
    type Output = Self;

    #[inline]
    fn neg(self) -> Self {
        Self { y: -self.y, ..self }
    }
}

impl Neg for Vesta {
    type Output = Self;

    #[inline]
    fn neg(self) -> Self {
        Self { y: -self.y, ..self }
    }
}

impl Sum for VestaPoint {
    fn sum<I: Iterator<Item = Self>>(points: I) -> Self {
        points.fold(IDENTITY, |sum, point| sum + point)
    }
}

impl<'a> Sum<&'a Self> for VestaPoint {
    fn sum<I: Iterator<Item = &'a Self>>(points: I) -> Self {
        points.fold(IDENTITY, |sum, point| sum + point)
    }
}

// === equality and selection ===

impl PartialEq for VestaPoint {
    fn eq(&self, other: &Self) -> bool {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => true,
            (false, false) => {
                let (a, b) = (self.z.square(), other.z.square());
                self.x * b == other.x * a && self.y * (b * other.z) == other.y * (a * self.z)
            }
            _ => false,
        }
    }
}

impl Eq for VestaPoint {}

impl Default for VestaPoint {
    fn default() -> Self {
        IDENTITY
    }
}

impl ConstantTimeEq for VestaPoint {
    fn ct_eq(&self, other: &Self) -> Choice {
        Choice::from(u8::from(self == other))
    }
}

impl ConstantTimeEq for Vesta {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.x.ct_eq(&other.x) & self.y.ct_eq(&other.y)
    }
}

impl ConditionallySelectable for VestaPoint {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self {
            x: Fq::conditional_select(&a.x, &b.x, choice),
            y: Fq::conditional_select(&a.y, &b.y, choice),
            z: Fq::conditional_select(&a.z, &b.z, choice),
        }
    }
}

impl ConditionallySelectable for Vesta {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self {
            x: Fq::conditional_select(&a.x, &b.x, choice),
            y: Fq::conditional_select(&a.y, &b.y, choice),
        }
    }
}

// === group's traits ===

impl GroupEncoding for Vesta {
    type Repr = <EqAffine as GroupEncoding>::Repr;

    fn from_bytes(bytes: &Self::Repr) -> CtOption<Self> {
        EqAffine::from_bytes(bytes).map(Self::from)
    }

    fn from_bytes_unchecked(bytes: &Self::Repr) -> CtOption<Self> {
        EqAffine::from_bytes_unchecked(bytes).map(Self::from)
    }

    fn to_bytes(&self) -> Self::Repr {
        self.stock().to_bytes()
    }
}

impl GroupEncoding for VestaPoint {
    type Repr = <EqAffine as GroupEncoding>::Repr;

    fn from_bytes(bytes: &Self::Repr) -> CtOption<Self> {
        Vesta::from_bytes(bytes).map(Self::from)
    }

    fn from_bytes_unchecked(bytes: &Self::Repr) -> CtOption<Self> {
        Vesta::from_bytes_unchecked(bytes).map(Self::from)
    }

    fn to_bytes(&self) -> Self::Repr {
        self.to_affine_vartime().to_bytes()
    }
}

impl Group for VestaPoint {
    type Scalar = Fp;

    fn try_random<R: TryRng + ?Sized>(source: &mut R) -> Result<Self, R::Error> {
        StockPoint::try_random(source).map(Self::from)
    }

    fn identity() -> Self {
        IDENTITY
    }

    fn generator() -> Self {
        StockPoint::generator().into()
    }

    fn is_identity(&self) -> Choice {
        self.z.is_zero()
    }

    #[inline]
    fn double(&self) -> Self {
        self.doubled()
    }
}

impl PrimeGroup for VestaPoint {}

impl Curve for VestaPoint {
    type Affine = Vesta;

    fn batch_normalize(points: &[Self], affine: &mut [Vesta]) {
        Self::normalized(points, affine);
    }

    fn to_affine(&self) -> Vesta {
        self.to_affine_vartime()
    }
}

impl PrimeCurve for VestaPoint {}

impl group::CurveAffine for Vesta {
    type Curve = VestaPoint;
    type Scalar = Fp;

    fn identity() -> Self {
        Self::default()
    }

    fn generator() -> Self {
        EqAffine::generator().into()
    }

    fn is_identity(&self) -> Choice {
        self.x.is_zero() & self.y.is_zero()
    }

    #[inline]
    fn to_curve(&self) -> VestaPoint {
        if self.is_zero() {
            IDENTITY
        } else {
            VestaPoint {
                x: self.x,
                y: self.y,
                z: Fq::ONE,
            }
        }
    }
}

// === pasta's traits ===

impl CurveExt for VestaPoint {
    type ScalarExt = Fp;
    type Base = Fq;
    type AffineExt = Vesta;

    const CURVE_ID: &'static str = StockPoint::CURVE_ID;

    fn endo(&self) -> Self {
        Self {
            x: self.x * Fq::ZETA,
            ..*self
        }
    }

    fn jacobian_coordinates(&self) -> (Fq, Fq, Fq) {
        (self.x, self.y, self.z)
    }

    fn hash_to_curve<'a>(domain_prefix: &'a str) -> Box<dyn Fn(&[u8]) -> Self + 'a> {
        let hash = StockPoint::hash_to_curve(domain_prefix);
        Box::new(move |message| hash(message).into())
    }

    fn is_on_curve(&self) -> Choice {
        StockPoint::new_jacobian(self.x, self.y, self.z).is_some()
    }

    fn a() -> Fq {
        <StockPoint as CurveExt>::a()
    }

    fn b() -> Fq {
        <StockPoint as CurveExt>::b()
    }

    fn new_jacobian(x: Fq, y: Fq, z: Fq) -> CtOption<Self> {
        StockPoint::new_jacobian(x, y, z).map(Self::from)
    }

    fn to_affine_vartime(&self) -> Vesta {
        let inverse = Option::from(self.z.invert_vartime());
        inverse.map_or_else(Vesta::default, |inverse| self.scaled(inverse))
    }

    fn batch_normalize_vartime(points: &[Self], affine: &mut [Vesta]) {
        Self::normalized(points, affine);
    }
}

impl CurveAffine for Vesta {
    type ScalarExt = Fp;
    type Base = Fq;
    type CurveExt = VestaPoint;

    fn coordinates(&self) -> CtOption<Coordinates<Self>> {
        let coordinates = Coordinates::from_xy(self.x, self.y);
        coordinates.and_then(|at| CtOption::new(at, !self.is_identity()))
    }

    fn from_xy(x: Fq, y: Fq) -> CtOption<Self> {
        EqAffine::from_xy(x, y).map(Self::from)
    }

    fn is_on_curve(&self) -> Choice {
        self.stock().is_on_curve()
    }

    fn a() -> Fq {
        <EqAffine as CurveAffine>::a()
    }

    fn b() -> Fq {
        <EqAffine as CurveAffine>::b()
    }
}
