CREATE TABLE `geometries` (
  `a` point DEFAULT NULL,
  `b` linestring DEFAULT NULL,
  `c` polygon DEFAULT NULL,
  `d` multipoint DEFAULT NULL,
  `e` multilinestring DEFAULT NULL,
  `f` multipolygon DEFAULT NULL,
  `g` geometrycollection DEFAULT NULL,
  `h` geometry DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
